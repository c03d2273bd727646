/**
 * The tab Status: the very JSON that a client would get.
 *
 * @module
 */
import { get } from "../api.js";
import { el, fill } from "../el.js";
import { jsonView } from "../elements/json-view.js";
import { keep } from "../part.js";

/** @param {import("./tabs.js").TabContext} context */
export function open({ node, id, signal }) {
  const place = el("div");
  node.append(place);
  let shown = "";
  keep({
    signal,
    node: place,
    load: (ending) => get(`jobs/${encodeURIComponent(id)}/status`, { signal: ending }),
    show: (status) => {
      const text = JSON.stringify(status);
      if (text === shown) return; // a selection stays
      shown = text;
      fill(place, jsonView(`GET /v1/consumer/jobs/${id}?detailed=true`, status, `${id}-status.json`));
    },
    wants: (messages) => messages.some((message) => message.jobId === id && message.type !== "generation_progress"),
  });
  return () => undefined;
}
