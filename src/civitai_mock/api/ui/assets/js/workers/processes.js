/**
 * The processes that work on the store: which of them run jobs, on how many and for how long, and which have died.
 *
 * @module
 */
import { curl, listed } from "../api.js";
import { el, fill, keyed, say } from "../el.js";
import { age, duration, localDate, number, stateBadge } from "../format.js";
import { copyButton } from "../notices.js";
import { keep } from "../part.js";

const EACH_MS = 900;
const HEADS = ["State", "Process", "Does", "Jobs", "Lease", "Last sign of life"];

/** @typedef {{id: string, alive: boolean, answering: boolean, host: string, pid: number, startedAt: string, lastSeenAt: string, runsJobs: boolean, jobs?: number, leaseSeconds?: number, leasedUntil?: string}} Process */

/**
 * @param {AbortSignal} signal
 * @returns {HTMLElement}
 */
export function openProcesses(signal) {
  const body = el("tbody");
  const table = el(
    "div",
    { class: "scroll" },
    el("table", { class: "processes" }, el("thead", {}, el("tr", {}, HEADS.map((text) => el("th", { scope: "col", class: text === "Jobs" && "number" }, text)))), body),
  );
  const place = el("div");
  keep({
    signal,
    node: place,
    load: async (ending) => {
      const found = [];
      for await (const page of listed("processes", { signal: ending })) found.push(...page);
      return /** @type {Process[]} */ (found);
    },
    show: (found) => {
      if (table.parentElement !== place) fill(place, table);
      keyed(body, found, { key: ({ id }) => id, make: row });
      const at = Math.max(...found.map(({ lastSeenAt }) => Date.parse(lastSeenAt)));
      found.forEach((process, index) => draw(/** @type {HTMLElement} */ (body.children[index]), process, at));
    },
    wants: () => false,
    everyMs: EACH_MS,
  });
  const copy = copyButton("Copy as curl", () => curl("GET", "_mock/processes"), "the command");
  copy.setAttribute("aria-label", "Copy as curl: the processes");
  return el("section", { class: "panel", "aria-label": "Processes" }, el("div", { class: "title" }, el("h2", {}, "Processes"), el("span", { class: "spring" }), copy), place);
}

/** @param {Process} process */
function row({ id, host, pid, startedAt, runsJobs, answering }) {
  const small = () => el("span", { class: "clip quiet small" });
  const since = el("span", { class: "clip quiet small", title: `since ${localDate(startedAt)} (${startedAt})` }, `${host}, pid ${pid}`);
  return el(
    "tr",
    {},
    el("td"),
    el("td", {}, el("code", {}, id), since),
    el("td", {}, runsJobs ? "runs jobs" : "answers requests", answering && el("span", { class: "clip quiet small" }, "answers this page")),
    el("td", { class: "number" }),
    el("td", {}, el("span"), small()),
    el("td", {}, el("span")),
  );
}

/**
 * @param {HTMLElement} tr
 * @param {Process} process
 * @param {number} at what time it is on the server: leases go by that, whatever time the namespace has
 */
function draw(tr, process, at) {
  const { alive, lastSeenAt, jobs, leaseSeconds, leasedUntil } = process;
  const [state, , , count, lease, seen] = tr.children;
  if (!state || !count || !lease?.firstElementChild || !lease.lastElementChild || !seen?.firstElementChild) return;
  if (tr.dataset.version !== String(alive)) fill(state, alive ? stateBadge("done", "alive") : stateBadge("bad", "dead"));
  tr.dataset.version = String(alive);
  say(count, jobs === undefined ? "–" : number(jobs));
  say(lease.firstElementChild, leaseSeconds === undefined ? "–" : duration(leaseSeconds * 1000));
  say(lease.lastElementChild, leasedUntil === undefined ? "" : restOf(alive, Date.parse(leasedUntil) - at));
  entitle(lease.lastElementChild, leasedUntil);
  say(seen.firstElementChild, alive ? "now" : `${age(at - Date.parse(lastSeenAt))} ago`);
  entitle(seen.firstElementChild, lastSeenAt);
}

/**
 * @param {boolean} alive
 * @param {number} rest in ms
 */
function restOf(alive, rest) {
  if (alive) return `the first holds for ${age(rest)}`;
  return rest > 0 ? `its jobs are free in ${age(rest)}` : "its jobs are free";
}

/**
 * @param {Element} node
 * @param {string | undefined} date
 */
function entitle(node, date) {
  if (date) node.setAttribute("title", `${localDate(date)} (${date})`);
}
