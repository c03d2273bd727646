/**
 * The tab Timeline: a waterfall of queue, claims, stages and callbacks, and the same events as a table.
 *
 * @module
 */
import { drawWaterfall } from "../draw/waterfall.js";
import { el, fill, keyed } from "../el.js";
import { badge, duration, hasEnded, localDate, localTime, now, stateBadge } from "../format.js";
import { href } from "../router.js";
import { connection } from "../store.js";
import { waterfallOf } from "./timeline-model.js";

const EACH_MS = 1000;
const LONG = 120; // letters of a context that are shown in its line

/** @typedef {import("./tabs.js").Job} Job */

/** @param {import("./tabs.js").TabContext} context */
export function open({ node, signal }) {
  const picture = el("div", { class: "scroll" });
  const events = el("tbody");
  const callbacks = el("div", { class: "page" });
  node.append(picture, eventTable(events), callbacks);
  /** @type {Job | null} */
  let job = null;

  function draw() {
    if (!job || connection.isHeld) return;
    const width = Math.max(260, Math.floor(picture.clientWidth));
    fill(picture, drawWaterfall(waterfallOf(/** @type {any} */ (job), now()), width));
  }
  const resized = new ResizeObserver(() => draw());
  resized.observe(node);
  const ticking = setInterval(() => job && !hasEnded(job.status) && !document.hidden && draw(), EACH_MS);
  signal.addEventListener("abort", () => (resized.disconnect(), clearInterval(ticking)));

  return (/** @type {Job} */ found) => {
    job = found;
    draw();
    const first = Date.parse(found.events[0]?.dateTime ?? found.createdAt);
    const rows = found.events.map((event, index) => ({ event, index }));
    keyed(events, rows, { key: ({ index }) => String(index), make: ({ event }) => eventRow(event, first) });
    fill(callbacks, found.callbacks.length > 0 && callbackTable(found.callbacks), found.faults.length > 0 && faultList(found.faults));
  };
}

/** @param {HTMLElement} body */
function eventTable(body) {
  return el(
    "div",
    { class: "scroll" },
    el(
      "table",
      { class: "events" },
      el("caption", { class: "offscreen" }, "Events of the job, in order"),
      el("thead", {}, el("tr", {}, ["After", "Event", "What it says"].map((text) => el("th", { scope: "col" }, text)))),
      body,
    ),
  );
}

/**
 * @param {import("./timeline-model.js").JobEvent} event
 * @param {number} first
 */
function eventRow(event, first) {
  const context = Object.keys(event.context).length > 0 ? JSON.stringify(event.context, null, 2) : "";
  const said = event.context.message ?? event.context.reason ?? event.context.error;
  const short = (typeof said === "string" ? said : Object.keys(event.context).join(", ")).slice(0, LONG);
  return el(
    "tr",
    {},
    el("td", { class: "number", title: `${localDate(event.dateTime)} (${event.dateTime})` }, duration(Date.parse(event.dateTime) - first)),
    el("td", {}, badge(event.type, event.type), event.workerId && el("span", { class: "clip quiet small", title: event.workerId }, event.workerId)),
    el(
      "td",
      {},
      context && el("details", {}, el("summary", { title: short }, short), el("pre", { tabindex: "0" }, el("code", {}, context))),
    ),
  );
}

/** @param {import("./timeline-model.js").Callback[]} callbacks */
function callbackTable(callbacks) {
  const rows = callbacks.flatMap((callback) => {
    const attempts = callback.attempts.length > 0 ? callback.attempts : [undefined];
    return attempts.map((attempt) => ({ callback, attempt }));
  });
  return el(
    "section",
    {},
    el("h2", {}, "Callbacks"),
    el(
      "table",
      { class: "events" },
      el("thead", {}, el("tr", {}, ["At", "Of", "Answer"].map((text) => el("th", { scope: "col" }, text)))),
      el(
        "tbody",
        {},
        rows.map(({ callback, attempt }) => {
          const at = attempt?.at ?? callback.dueAt;
          const isGood = attempt?.status !== undefined && attempt.status < 300;
          const answer = attempt ? (attempt.error ?? `${attempt.status}`) : callback.delivery;
          return el(
            "tr",
            {},
            el("td", { class: "number", title: at && `${localDate(at)} (${at})` }, at ? localTime(at) : ""),
            el("td", {}, callback.status, el("span", { class: "clip quiet small", title: callback.url }, callback.url)),
            el("td", {}, stateBadge(attempt ? (isGood ? "done" : "bad") : "waiting", answer)),
          );
        }),
      ),
    ),
  );
}

/** @param {unknown} rule */
function ruleLink(rule) {
  return typeof rule === "string" && [el("a", { href: href("faults", { rule }) }, rule), " "];
}

/** @param {Record<string, unknown>[]} faults */
function faultList(faults) {
  return el(
    "section",
    {},
    el("h2", {}, "Faults that hit it"),
    el("ul", {}, faults.map((fault) => el("li", {}, ruleLink(fault.rule), el("code", {}, JSON.stringify(fault))))),
  );
}
