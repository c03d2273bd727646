/**
 * The tab Graph: what was sent to ComfyUI for the job, or will be.
 *
 * @module
 */
import { ApiError, get } from "../api.js";
import { el, fill } from "../el.js";
import { graphView } from "../elements/graph-view.js";
import { shortId } from "../format.js";
import { keep } from "../part.js";
import { href } from "../router.js";
import { openInComfyUI } from "../servers.js";

/** @param {import("./tabs.js").TabContext} context */
export function open({ node, id, signal }) {
  const place = el("div", { class: "page" });
  fill(node, place);
  keep({
    signal,
    node: place,
    load: async (ending) => {
      try {
        return await get(`jobs/${encodeURIComponent(id)}/graph`, { signal: ending });
      } catch (error) {
        if (error instanceof ApiError && [404, 409].includes(error.status)) return null; // a job without one
        throw error;
      }
    },
    show: (graph) =>
      fill(
        place,
        graph === null
          ? el("p", { class: "quiet" }, "This kind of job has no graph.")
          : [graphView(graph, { label: `Graph of job ${shortId(id)}`, file: `${id}.json` }), openInComfyUI(signal), el("a", { href: href("graph", { a: id }) }, "Compare it with that of another job")],
      ),
    wants: () => false,
  });
  return () => {};
}
