/**
 * The tab Graph: what was sent to ComfyUI for the job, or will be.
 *
 * @module
 */
import { get } from "../api.js";
import { el, fill } from "../el.js";
import { graphView } from "../elements/graph-view.js";
import { shortId } from "../format.js";
import { keep } from "../part.js";
import { href } from "../router.js";
import { openInComfyUI } from "../servers.js";

/** @param {import("./tabs.js").TabContext} context */
export function open({ node, id, signal }) {
  let isOpen = false;
  return (/** @type {import("./tabs.js").Job} */ job) => {
    if (isOpen) return;
    isOpen = true;
    const place = el("div", { class: "page" });
    fill(node, job.runsGraph ? place : el("p", { class: "quiet" }, "This kind of job has no graph."));
    if (job.runsGraph) keepGraph(place, id, signal);
  };
}

/**
 * @param {HTMLElement} place
 * @param {string} id of the job
 * @param {AbortSignal} signal
 */
function keepGraph(place, id, signal) {
  keep({
    signal,
    node: place,
    load: (ending) => get(`jobs/${encodeURIComponent(id)}/graph`, { signal: ending }),
    show: (graph) =>
      fill(
        place,
        graphView(graph, { label: `Graph of job ${shortId(id)}`, file: `${id}.json` }),
        openInComfyUI(signal),
        el("a", { href: href("graph", { a: id }) }, "Compare it with that of another job"),
      ),
    wants: () => false,
    isStill: true,
  });
}
