/**
 * Work out of a job's events and callbacks what the waterfall draws.
 *
 * @module
 */
import { hasEnded, stateOf } from "../format.js";

/** @typedef {import("../draw/waterfall.js").Bar} Bar */
/** @typedef {import("../draw/waterfall.js").Dot} Dot */
/** @typedef {import("../draw/waterfall.js").Row} Row */
/** @typedef {import("../draw/waterfall.js").State} State */
/** @typedef {{type: string, dateTime: string, provider?: string, workerId?: string, context: Record<string, any>, retryAttempt: number, jobDuration: string}} JobEvent */
/** @typedef {{url: string, seq: number, status: string, delivery: string, dueAt?: string, attempts: {at: string, status?: number, error?: string}[]}} Callback */

/**
 * @param {{events: JobEvent[], callbacks: Callback[]}} job
 * @param {number} now
 * @returns {import("../draw/waterfall.js").Waterfall}
 */
export function waterfallOf({ events, callbacks }, now) {
  const times = events.map((event) => Date.parse(event.dateTime));
  const last = events.at(-1);
  const from = times[0] ?? now;
  const isOver = last !== undefined && hasEnded(last.type);
  const end = isOver ? times[times.length - 1] : Math.max(now, times[times.length - 1] ?? now);
  const attempts = callbacks.flatMap((callback) => callback.attempts.map((attempt) => ({ callback, attempt })));
  const to = Math.max(end, from + 1, ...attempts.map(({ attempt }) => Date.parse(attempt.at)));
  const rows = [...stageRows(events, times, end), eventRow(events, times)];
  if (attempts.length > 0) rows.push({ label: "Callbacks", bars: [], dots: attempts.map(callbackDot) });
  const label = `Timeline of ${events.length} events over ${((to - from) / 1000).toFixed(1)} seconds; the table below has them all`;
  return { rows, from, to, label };
}

/**
 * Return the rows of queue and stages: what an event begins lasts until the next one.
 *
 * @param {readonly JobEvent[]} events
 * @param {readonly number[]} times
 * @param {number} end
 * @returns {Row[]}
 */
function stageRows(events, times, end) {
  /** @type {Row[]} */
  const rows = [];
  let claims = 0;
  let updates = 0;
  events.forEach((event, index) => {
    if (hasEnded(event.type)) return;
    const begin = times[index];
    const until = times[index + 1] ?? end;
    if (event.type === "Claimed") {
      claims += 1;
      updates = 0;
    } else if (event.type === "Updated") updates += 1;
    const again = claims > 1 ? ` (${claims})` : "";
    const { label, state } = stageOf(event, updates);
    const next = events[index + 1];
    const isBad = state === "running" && next && stateOf(next.type).state === "bad";
    rows.push({ label: label + again, bars: [{ label, from: begin, to: until, state: isBad ? "bad" : state }], dots: [] });
    if (label === "In ComfyUI") rows.push(...partsOf(events[index + 1], begin, until));
  });
  return rows;
}

/**
 * @param {JobEvent} event
 * @param {number} updates
 * @returns {{label: string, state: State}}
 */
function stageOf(event, updates) {
  if (event.type === "Claimed") return { label: "Claimed", state: "running" };
  if (event.type === "Updated") return { label: updates === 1 ? "Prompt prepared" : "In ComfyUI", state: "running" };
  return { label: event.type === "Initialized" ? "In the queue" : "Back in the queue", state: "waiting" };
}

/**
 * Return what the last event tells of the time in ComfyUI.
 *
 * @param {JobEvent | undefined} event
 * @param {number} from
 * @param {number} to
 * @returns {Row[]}
 */
function partsOf(event, from, to) {
  const loaded = Number(event?.context?.comfy_load_ms);
  if (!(loaded > 0) || from + loaded > to) return [];
  const bar = (/** @type {string} */ label, /** @type {number} */ begin, /** @type {number} */ until) =>
    /** @type {Row} */ ({ label: `· ${label}`, bars: [{ label, from: begin, to: until, state: "running" }], dots: [] });
  return [bar("load the model", from, from + loaded), bar("sample", from + loaded, to)];
}

/**
 * @param {readonly JobEvent[]} events
 * @param {readonly number[]} times
 * @returns {Row}
 */
function eventRow(events, times) {
  const dots = events.map((event, index) => ({ at: times[index], state: stateOf(event.type).state, title: event.type }));
  return { label: "Events", bars: [], dots };
}

/**
 * @param {{callback: Callback, attempt: Callback["attempts"][number]}} told
 * @returns {Dot}
 */
function callbackDot({ callback, attempt }) {
  const isGood = attempt.status !== undefined && attempt.status >= 200 && attempt.status < 300;
  const said = attempt.error ?? String(attempt.status ?? "");
  return { at: Date.parse(attempt.at), state: isGood ? "done" : "bad", title: `${callback.status} to ${callback.url}: ${said}` };
}
