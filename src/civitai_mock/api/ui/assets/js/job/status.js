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
  const [first, second] = [el("div"), el("div")];
  node.append(first, second);
  showStatus({ node: first, signal, path: `jobs/${encodeURIComponent(id)}/status`, title: `GET /v1/consumer/jobs/${id}?detailed=true`, id });
  let hasWorkflow = false;
  return (/** @type {import("./tabs.js").Job} */ { workflowId }) => {
    if (hasWorkflow || !workflowId) return;
    hasWorkflow = true;
    const path = `workflows/${encodeURIComponent(workflowId)}`;
    showStatus({ node: second, signal, path, title: `GET /v2/consumer/workflows/${workflowId}`, id });
  };
}

/**
 * @param {{node: HTMLElement, signal: AbortSignal, path: string, title: string, id: string}} what
 */
function showStatus({ node, signal, path, title, id }) {
  keep({
    signal,
    node,
    load: (ending) => get(path, { signal: ending }),
    show: (status) => fill(node, jsonView(title, status, `${id}-status.json`)),
    wants: (messages) => messages.some((message) => message.jobId === id && message.type !== "generation_progress"),
    isStill: true,
  });
}
