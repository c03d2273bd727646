/**
 * How values are shown, and what time it is where they come from.
 *
 * @module
 */
import { el } from "./el.js";

const PLAIN = new Intl.NumberFormat("en");
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** @param {number} value */
export function number(value) {
  return PLAIN.format(value);
}

/**
 * Write a duration so that it has two or three digits that matter.
 *
 * @param {number} ms
 * @returns {string}
 */
export function duration(ms) {
  const sign = ms < 0 ? "−" : "";
  const size = Math.abs(ms);
  if (size < 1000) return `${sign}${Math.round(size)} ms`;
  if (size < 10_000) return `${sign}${(size / 1000).toFixed(1)} s`;
  if (size < 60_000) return `${sign}${Math.round(size / 1000)} s`;
  if (size < 3_600_000) return `${sign}${Math.floor(size / 60_000)} min ${Math.round((size % 60_000) / 1000)} s`;
  if (size < 86_400_000) return `${sign}${Math.floor(size / 3_600_000)} h ${Math.floor((size % 3_600_000) / 60_000)} min`;
  return `${sign}${Math.floor(size / 86_400_000)} d ${Math.floor((size % 86_400_000) / 3_600_000)} h`;
}

/** @param {number} size */
export function bytes(size) {
  if (size < 1000) return `${size} B`;
  if (size < 1_000_000) return `${(size / 1000).toFixed(1)} kB`;
  if (size < 1_000_000_000) return `${(size / 1_000_000).toFixed(1)} MB`;
  return `${(size / 1_000_000_000).toFixed(1)} GB`;
}

/**
 * Write how long ago something was, or how far off it is, in the one unit that matters, as it counts by itself.
 *
 * @param {number} ms
 */
export function age(ms) {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** @param {string | number} date */
export function localDate(date) {
  return DATE.format(new Date(date));
}

/** @param {string | number} date */
export function localTime(date) {
  return TIME.format(new Date(date));
}

/** @param {string} id */
export function shortId(id) {
  return id.slice(0, 8);
}

/**
 * The four states that anything can be in, with the words of each status.
 *
 * @type {Record<string, {state: "waiting" | "running" | "done" | "bad", text: string}>}
 */
const STATES = {
  Initialized: { state: "waiting", text: "Waiting" },
  Rejected: { state: "waiting", text: "Waiting again" },
  LateRejected: { state: "waiting", text: "Waiting again" },
  ClaimExpired: { state: "waiting", text: "Waiting again" },
  Claimed: { state: "running", text: "Running" },
  Updated: { state: "running", text: "Running" },
  Succeeded: { state: "done", text: "Succeeded" },
  Failed: { state: "bad", text: "Failed" },
  Expired: { state: "bad", text: "Expired" },
  Deleted: { state: "bad", text: "Cancelled" },
};

/** @param {string} status */
export function stateOf(status) {
  return STATES[status] ?? { state: "waiting", text: status };
}

/** @param {string} status */
export function hasEnded(status) {
  return ["Succeeded", "Failed", "Expired", "Deleted"].includes(status);
}

const SIGNS = { waiting: "○", running: "◐", done: "●", bad: "✕" };

/**
 * @param {string} status
 * @param {string} [text]
 */
export function badge(status, text) {
  const found = stateOf(status);
  return stateBadge(found.state, text ?? found.text);
}

/**
 * @param {"waiting" | "running" | "done" | "bad"} state
 * @param {string} text
 */
export function stateBadge(state, text) {
  return el(
    "span",
    { class: `badge ${state}` },
    el("span", { class: "sign", "aria-hidden": "true" }, SIGNS[state]),
    el("span", {}, text),
  );
}

/** @type {{mode: string, rate: number, now: number, readAt: number}} */
let clock = { mode: "real", rate: 1, now: Date.now(), readAt: performance.now() };

/**
 * Take on the time of the namespace, by which all its dates go: it may be frozen, or go faster than that of this machine.
 *
 * @param {{mode: string, rate: number, now: string}} told
 */
export function setClock(told) {
  const rate = told.mode === "frozen" ? 0 : told.rate;
  clock = { mode: told.mode, rate, now: Date.parse(told.now), readAt: performance.now() };
}

/** @returns {number} the time of the namespace, in ms since 1970 */
export function now() {
  return clock.now + (performance.now() - clock.readAt) * clock.rate;
}

/** @returns {{mode: string, rate: number}} */
export function clockMode() {
  return clock;
}
