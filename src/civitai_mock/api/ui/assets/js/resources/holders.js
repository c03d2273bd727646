/**
 * Which workers have the file of a resource, and which lack it.
 *
 * @module
 */
import { curl, listed } from "../api.js";
import { el, fill, keyed } from "../el.js";
import { stateBadge } from "../format.js";
import { copyButton } from "../notices.js";
import { keep } from "../part.js";

const EACH_MS = 5000; // as nothing tells of files that come and go; the server itself looks no more often

/** @typedef {{id: string, ready: boolean, reason?: string, hasFile?: boolean}} Worker */

/**
 * @param {string} air
 * @param {AbortSignal} signal
 * @returns {{node: HTMLElement, reload: () => Promise<void>}}
 */
export function openHolders(air, signal) {
  const query = { resource: air };
  const place = el("div");
  const list = el("ul", { class: "plain page" });
  const part = keep({
    signal,
    node: place,
    load: async (ending) => {
      const workers = [];
      for await (const page of listed("workers", { signal: ending, query })) workers.push(...page);
      return /** @type {Worker[]} */ (workers);
    },
    show: (workers) => {
      if (workers.length === 0) {
        fill(place, el("p", { class: "quiet" }, "No worker is up."));
        return;
      }
      if (place.firstElementChild !== list) fill(place, list);
      keyed(list, workers, { key: ({ id, ready, reason, hasFile }) => JSON.stringify([id, ready, reason, hasFile]), make: row });
    },
    wants: () => false,
    everyMs: EACH_MS,
  });
  const how = copyButton("Copy as curl", () => curl("GET", "_mock/workers", { query }), "the command");
  how.setAttribute("aria-label", "Copy as curl: who has its file");
  const node = el("section", { class: "body page", "aria-label": "Who has its file" }, el("div", { class: "actions" }, el("h2", {}, "Who has its file"), el("span", { class: "spring" }), how), place);
  return { node, reload: part.reload };
}

/** @param {Worker} worker */
function row({ id, reason, hasFile }) {
  const badge = hasFile === undefined ? stateBadge("waiting", "not known") : hasFile ? stateBadge("done", "has it") : stateBadge("bad", "lacks it");
  return el("li", { class: "actions" }, badge, el("code", {}, id), hasFile === undefined && reason && el("span", { class: "quiet small" }, reason));
}
