/**
 * The tab Request: what was asked for, as the journal has it, and as it is stored.
 *
 * @module
 */
import { el, fill } from "../el.js";
import { jsonView } from "../elements/json-view.js";
import { keep } from "../part.js";
import { submissionOf } from "./orders.js";

/** @param {import("./tabs.js").TabContext} context */
export function open({ node, id, signal }) {
  const asked = el("div");
  const stored = el("div", { hidden: true }); // until what stands above it is there
  node.append(asked, stored);
  keep({
    signal,
    node: asked,
    load: (ending) => submissionOf(id, ending).finally(() => (stored.hidden = false)),
    show: (entry) => {
      if (entry) fill(asked, jsonView(`${entry.method} ${entry.path}`, entry.request.body, `${id}-request.json`));
      else fill(asked, el("p", { class: "quiet" }, "The journal has the request no more; this is what was made of it:"));
    },
    wants: () => false,
    isStill: true,
  });
  let isDrawn = false;
  return (/** @type {import("./tabs.js").Job} */ job) => {
    if (isDrawn) return; // what is stored of it never changes
    isDrawn = true;
    fill(stored, jsonView("As it is stored", { ...job.spec, properties: job.properties }, `${id}-spec.json`));
  };
}
