/**
 * The page of what runs the jobs: each worker, whether it is ready or why not, and what it has. Servers are drained here.
 *
 * @module
 */
import { change, curl, listed } from "../api.js";
import { el, fill, keyed, say } from "../el.js";
import { number, stateBadge } from "../format.js";
import { attempt, copyButton } from "../notices.js";
import { emptyBox, keep } from "../part.js";
import { openProcesses } from "../workers/processes.js";
import { serverLink } from "../servers.js";

const EACH_MS = 900; // as nothing tells of workers that come and go, or that others drain

/** @typedef {{id: string, ready: boolean, reason?: string, draining?: boolean, url?: string, version?: string, inFlight?: number, maxInFlight?: number, ecosystems: string[], models?: Record<string, number>}} Worker */
/** @typedef {{node: HTMLElement, show: (worker: Worker) => void}} Panel */

/** @param {import("../pages.js").Context} context */
export function open({ node, signal, setCurl }) {
  setCurl(() => curl("GET", "_mock/workers"));
  const place = el("div", { class: "page" });
  const list = el("div", { class: "page" });
  const none = el(
    "div",
    { class: "panel" },
    emptyBox({ title: "No worker is up", text: "Jobs wait until there is one, unless there is a fleet: its serverless part runs them without any, and its pods come as its policy says.", curl: curl("GET", "_mock/workers") }),
  );
  /** @type {Map<string, Panel>} */
  const panels = new Map();
  node.append(place, openProcesses(signal));

  /** @param {Worker} worker */
  function make({ id }) {
    const panel = openPanel(id, () => part.reload());
    panels.set(id, panel);
    return panel.node;
  }

  const part = keep({
    signal,
    node: place,
    load: async (ending) => {
      const workers = [];
      for await (const page of listed("workers", { signal: ending })) workers.push(...page);
      return /** @type {Worker[]} */ (workers);
    },
    show: (workers) => {
      const shown = workers.length ? list : none;
      if (place.firstElementChild !== shown) fill(place, shown);
      keyed(list, workers, { key: ({ id }) => id, make });
      for (const worker of workers) panels.get(worker.id)?.show(worker);
    },
    wants: (messages) => messages.some(({ type }) => type === "job"),
    everyMs: EACH_MS,
  });
}

/**
 * @param {string} id
 * @param {() => Promise<void>} reload
 * @returns {Panel}
 */
function openPanel(id, reload) {
  let [isDraining, version] = [false, ""];
  const [state, page] = [el("span"), el("span", { class: "spring" })];
  const reason = el("p", { class: "body reason", hidden: true });
  const facts = el("dl", { class: "facts body" });
  const path = (/** @type {string} */ word) => `workers/${encodeURIComponent(id)}/${word}`;
  const order = (/** @type {string} */ word, /** @type {string} */ done) => attempt(() => change("POST", path(word)), done).then(reload);
  const flip = () => (isDraining ? order("resume", "The server gets jobs again.") : order("drain", "The server gets no new jobs."));
  const button = (/** @type {() => unknown} */ act) => el("button", { type: "button", class: "small", on: { click: () => void act() } });
  const [drain, retry] = [button(flip), button(() => order("retry", "The server was asked."))];
  const how = copyButton("Copy as curl", () => curl("POST", `_mock/${path(isDraining ? "resume" : "drain")}`), "the command");
  const left = el("p", { class: "body", role: "status", hidden: true });
  const orders = el("div", { class: "body actions" }, drain, retry, how);
  name(retry, "Retry now", id);
  const node = el(
    "section",
    { class: "panel", "aria-label": `Worker ${id}` },
    el("div", { class: "title" }, el("h2", { class: "mono" }, id), state, page),
    reason,
    left,
    facts,
    orders,
  );
  return {
    node,
    show(worker) {
      const told = JSON.stringify(worker);
      if (told === version) return;
      version = told;
      isDraining = worker.draining === true;
      fill(state, worker.ready ? stateBadge("done", "ready") : isDraining ? stateBadge("waiting", "draining") : stateBadge("bad", "not ready"));
      fill(page, serverLink(worker.url, "Open its page"));
      say(reason, worker.reason ?? "");
      fill(facts, factsOf(worker));
      reason.hidden = !worker.reason;
      left.hidden = !isDraining;
      say(left, isDraining ? leftOn(worker.inFlight ?? 0) : "");
      reason.className = isDraining ? "body quiet" : "body reason"; // somebody wanted it so
      orders.hidden = worker.url === undefined; // what is simulated takes no orders here
      retry.hidden = worker.ready;
      name(drain, isDraining ? "Resume" : "Drain", id);
      how.setAttribute("aria-label", `Copy as curl: ${isDraining ? "resume" : "drain"} ${id}`);
    },
  };
}

/**
 * @param {HTMLElement} button
 * @param {string} label
 * @param {string} id
 */
function name(button, label, id) {
  say(button, label);
  button.setAttribute("aria-label", `${label}: ${id}`);
}

/** @param {number} count of all processes */
function leftOn(count) {
  if (count === 0) return "Nothing is left there: it can be stopped.";
  return count === 1 ? "One prompt is left there." : `${number(count)} prompts are left there.`;
}

/** @param {Worker} worker */
function factsOf(worker) {
  const room = worker.maxInFlight === undefined ? "" : ` of ${number(worker.maxInFlight)}`;
  const pairs = /** @type {[string, string | undefined][]} */ ([
    ["Version", worker.version],
    ["In flight", worker.inFlight === undefined ? undefined : `${number(worker.inFlight)}${room}`],
    ["Ecosystems", worker.ecosystems.join(", ") || undefined],
    ["Files", worker.models && files(worker.models)],
  ]);
  return pairs.filter(([, value]) => value !== undefined).flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]);
}

/** @param {Record<string, number>} models */
function files(models) {
  const folders = Object.entries(models).sort(([a], [b]) => a.localeCompare(b));
  return folders.map(([folder, count]) => `${folder}: ${number(count)}`).join(", ") || "none";
}
