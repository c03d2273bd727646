/**
 * Who was hit by one rule of faults: the last requests that the journal has of it, and the last jobs that carry it.
 *
 * @module
 */
import { ApiError, curl, get } from "../api.js";
import { el, fill } from "../el.js";
import { timeAgo } from "../elements/time-ago.js";
import { badge, shortId, stateBadge } from "../format.js";
import { copyButton } from "../notices.js";
import { keep } from "../part.js";
import { href } from "../router.js";

const TAKE = 5;

/** @typedef {{id: string, hits: number, lastHitAt?: string}} Rule */
/** @typedef {import("../job/orders.js").BriefEntry} Entry */
/** @typedef {{jobId: string, status: string, changedAt: string, prompt?: string, type: string}} Job */
/** @typedef {{requests: Entry[] | null, jobs: Job[]}} Found */

/** Make the place where they are shown, which is hidden while no rule is chosen. */
export function openHits() {
  const node = el("section", { class: "panel", hidden: true });
  let [chosen, seen] = ["", ""];
  let leave = new AbortController();
  let reload = () => {};

  /** @param {string} id of a rule, or nothing */
  function choose(id) {
    if (id === chosen) return;
    [chosen, seen] = [id, ""];
    close();
    node.hidden = !id;
    if (id) open(id);
  }

  /** @param {string} id */
  function open(id) {
    leave = new AbortController();
    const place = el("div", { class: "body page" });
    const title = `Who was hit by ${id}`;
    node.setAttribute("aria-label", title);
    fill(node, el("div", { class: "title" }, el("h2", {}, title), el("span", { class: "spring" }), el("a", { class: "button small", href: href("faults") }, "Close")), place);
    const part = keep({
      signal: leave.signal,
      node: place,
      load: (ending) => load(id, ending),
      show: (found) => fill(place, requestList(id, found.requests), jobList(id, found.jobs)),
      wants: () => false,
    });
    reload = () => void part.reload();
  }

  function close() {
    leave.abort();
    reload = () => {};
    fill(node);
  }

  return {
    node,
    choose,
    close,
    /** @param {Rule[]} rules as they are now: who was hit is read anew once somebody else was */
    update(rules) {
      const rule = rules.find(({ id }) => id === chosen);
      const version = `${rule?.hits} ${rule?.lastHitAt}`;
      if (seen && version !== seen) reload();
      seen = version;
    },
  };
}

/**
 * @param {string} id
 * @param {AbortSignal} signal
 * @returns {Promise<Found>}
 */
async function load(id, signal) {
  const query = { fault: id, take: TAKE };
  const [requests, jobs] = await Promise.all([requestsOf(query, signal), get("jobs", { signal, query })]);
  return { requests, jobs: jobs.items };
}

/**
 * @param {{fault: string, take: number}} query
 * @param {AbortSignal} signal
 * @returns {Promise<Entry[] | null>} null where there is no journal
 */
async function requestsOf(query, signal) {
  try {
    return (await get("journal", { signal, query: { ...query, messages: "false" } })).items;
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return null; // JOURNAL_MAX_ENTRIES is 0
    throw error;
  }
}

/**
 * @param {string} id
 * @param {Entry[] | null} entries
 */
function requestList(id, entries) {
  const none = entries === null ? "There is no journal: JOURNAL_MAX_ENTRIES is 0." : "None that the journal has still.";
  const items = (entries ?? []).map((entry) => [
    stateBadge(entry.status < 400 ? "done" : "bad", String(entry.status)),
    el("a", { class: "mono clip", href: href(`journal/${entry.id}`, { fault: id }), title: entry.path }, `${entry.method} ${entry.path}`),
    timeAgo(entry.time),
  ]);
  return section("Requests", id, "journal", items, none);
}

/**
 * @param {string} id
 * @param {Job[]} jobs
 */
function jobList(id, jobs) {
  const items = jobs.map((job) => [
    badge(job.status),
    el("a", { class: "mono", href: href(`jobs/${job.jobId}`, { fault: id }), title: job.jobId }, shortId(job.jobId)),
    el("span", { class: "clip" }, job.prompt?.slice(0, 300) ?? job.type),
    timeAgo(job.changedAt),
  ]);
  return section("Jobs and their callbacks", id, "jobs", items, "None of the last 2,000.");
}

/**
 * @param {string} title
 * @param {string} id
 * @param {"journal" | "jobs"} page
 * @param {HTMLElement[][]} items
 * @param {string} none
 */
function section(title, id, page, items, none) {
  const command = () => curl("GET", `_mock/${page}`, { query: { fault: id } });
  return el(
    "div",
    { class: "page" },
    el(
      "div",
      { class: "actions" },
      el("h3", {}, title),
      items.length > 0 && el("a", { href: href(page, { fault: id }), "aria-label": `All ${title.toLowerCase()} of ${id}` }, "All"),
      copyButton("Copy as curl", command, "the command"),
    ),
    items.length === 0 ? el("p", { class: "quiet" }, none) : el("ul", { class: "hits" }, items.map((parts) => el("li", {}, parts))),
  );
}
