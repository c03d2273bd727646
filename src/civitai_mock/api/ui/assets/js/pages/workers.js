/**
 * The page of what runs the jobs: each worker, whether it is ready or why not, and what it has.
 *
 * @module
 */
import { curl, listed } from "../api.js";
import { el, fill } from "../el.js";
import { number, stateBadge } from "../format.js";
import { emptyBox, keep } from "../part.js";

const EACH_MS = 2000; // as nothing tells of workers that come and go

/** @typedef {{id: string, ready: boolean, reason?: string, version?: string, inFlight?: number, maxInFlight?: number, ecosystems: string[], models?: Record<string, number>}} Worker */

/** @param {import("../pages.js").Context} context */
export function open({ node, signal, setCurl }) {
  setCurl(() => curl("GET", "_mock/workers"));
  const place = el("div", { class: "page" });
  node.append(place);
  let shown = "";
  keep({
    signal,
    node: place,
    load: async (ending) => {
      const workers = [];
      for await (const page of listed("workers", { signal: ending })) workers.push(...page);
      return /** @type {Worker[]} */ (workers);
    },
    show: (workers) => {
      const version = JSON.stringify(workers);
      if (version === shown && place.firstElementChild) return;
      shown = version;
      fill(place, workers.length === 0 ? none() : workers.map(panel));
    },
    wants: (messages) => messages.some(({ type }) => type === "job"),
    everyMs: EACH_MS,
  });
}

/** @param {Worker} worker */
function panel(worker) {
  const room = worker.maxInFlight === undefined ? "" : ` of ${number(worker.maxInFlight)}`;
  const pairs = /** @type {[string, string | HTMLElement | undefined][]} */ ([
    ["Version", worker.version],
    ["In flight here", worker.inFlight === undefined ? undefined : `${number(worker.inFlight)}${room}`],
    ["Ecosystems", worker.ecosystems.join(", ") || undefined],
    ["Files", worker.models && files(worker.models)],
  ]);
  return el(
    "section",
    { class: "panel", "aria-label": `Worker ${worker.id}` },
    el("div", { class: "title" }, el("h2", { class: "mono" }, worker.id), stateBadge(worker.ready ? "done" : "bad", worker.ready ? "ready" : "not ready")),
    worker.reason && el("p", { class: "body reason" }, worker.reason),
    el(
      "dl",
      { class: "facts body" },
      pairs.filter(([, value]) => value !== undefined).map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]).flat(),
    ),
  );
}

/** @param {Record<string, number>} models */
function files(models) {
  const folders = Object.entries(models).sort(([a], [b]) => a.localeCompare(b));
  return el("span", {}, folders.map(([folder, count]) => `${folder}: ${number(count)}`).join(", ") || "none");
}

function none() {
  return el(
    "div",
    { class: "panel" },
    emptyBox({ title: "No worker is up", text: "Jobs wait until there is one. With a fleet, workers are its pods and its serverless part.", curl: curl("GET", "_mock/workers") }),
  );
}
