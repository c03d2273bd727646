/**
 * The page of the clock: what time it is in the namespace, how it goes on, and what falls due next.
 *
 * @module
 */
import { change, curl, get } from "../api.js";
import { el, fill, keyed, say } from "../el.js";
import { timeAgo } from "../elements/time-ago.js";
import { localDate, now, setClock, shortId } from "../format.js";
import { submitLongExample } from "../job/orders.js";
import { attempt } from "../notices.js";
import { emptyBox, keep } from "../part.js";
import { href } from "../router.js";

const EACH_MS = 900; // as nothing tells of what a clock is set to
const STEPS = [
  ["+1 min", "1m"],
  ["+10 min", "10m"],
  ["+1 h", "1h"],
];
const RATES = [0.1, 1, 2, 10, 60, 600];
/** @type {Record<string, string>} */
const WORDS = { real: "as on this machine", frozen: "stands still", scaled: "goes by itself" };
/** @type {Record<string, string>} */
const HAPPENS = { goesOn: "goes on", expires: "expires" };

/** @typedef {{mode: string, now: string, rate: number, status: string}} Clock */
/** @typedef {{at: string, what: string, jobId: string}} Due */
/** @typedef {{clock: Clock, due: Due[]}} Found */

/** @param {import("../pages.js").Context} context */
export function open({ node, signal, setCurl }) {
  setCurl(() => curl("GET", "_mock/clock"));
  const time = el("time", { class: "big-time" });
  const [day, how] = [el("p", { class: "quiet" }), el("p", { role: "status" })];
  const rate = el("select", { "aria-label": "Rate" }, RATES.map((one) => el("option", { value: String(one), selected: one === 1 }, `×${one}`)));
  const date = el("input", { type: "datetime-local", step: "1", "aria-label": "Date to set it to" });
  const rows = el("tbody");
  const none = nothingYet(() => part.reload());
  const table = el(
    "div",
    { class: "scroll" },
    el(
      "table",
      { class: "due" },
      el("thead", {}, el("tr", {}, ["In", "When", "Job", "What"].map((text) => el("th", { scope: "col", class: text === "When" && "wide" }, text)))),
      rows,
    ),
  );
  const toNext = button("To the next", () => advance({ toNext: true }), "primary");
  const place = el("div", { class: "page" });
  node.append(place);
  const whole = [
    el(
      "section",
      { class: "panel", "aria-label": "Time" },
      el("div", { class: "body page" }, el("div", {}, time, day), how),
      el(
        "div",
        { class: "body page" },
        row("Go on", button("Freeze", () => put({ mode: "frozen" })), button("Resume", () => put({ mode: "scaled", rate: 1 })), button("Real time", () => put({ mode: "real" }))),
        row("Skip", ...STEPS.map(([label, by]) => button(label, () => advance({ by }))), toNext),
        row("Rate", rate, button("Set the rate", () => put({ mode: "scaled", rate: Number(rate.value) }))),
        row("Date", date, button("Set the date", () => date.value && put({ mode: "frozen", now: new Date(date.value).toISOString() }))),
      ),
    ),
    el(
      "section",
      { class: "panel", "aria-label": "What falls due next" },
      el("div", { class: "title" }, el("h2", {}, "What falls due next"), el("span", { class: "quiet" }, "by the clock of this namespace")),
      table,
      none,
    ),
  ];

  const part = keep({
    signal,
    node: place,
    load: async (ending) => {
      const [clock, due] = await Promise.all([get("clock", { signal: ending }), get("clock/due", { signal: ending })]);
      return /** @type {Found} */ ({ clock, due: due.items });
    },
    show: ({ clock, due }) => {
      if (place.firstElementChild !== whole[0]) fill(place, whole);
      setClock(clock);
      draw(clock);
      keyed(rows, due, { key: (item) => `${item.jobId} ${item.what} ${item.at}`, make: dueRow });
      [table.hidden, none.hidden] = [due.length === 0, due.length > 0];
      toNext.disabled = due.length === 0;
    },
    wants: (messages) => messages.some((message) => message.type === "job"),
    everyMs: EACH_MS,
  });
  const ticking = setInterval(tick, 250);
  signal.addEventListener("abort", () => clearInterval(ticking));

  /** @param {Clock} clock */
  function draw(clock) {
    const rate = clock.mode === "scaled" ? `, ×${clock.rate}` : "";
    const busy = clock.status === "advancing" ? ": it is advancing, and everything on the way happens" : "";
    say(how, `It ${clock.mode === "real" ? "goes " : ""}${WORDS[clock.mode] ?? clock.mode}${rate}${busy}.`);
    tick();
  }

  function tick() {
    const at = new Date(now());
    say(time, at.toLocaleTimeString());
    say(day, `${at.toLocaleDateString(undefined, { dateStyle: "full" })} · ${at.toISOString().slice(0, 19)}Z`);
    time.dateTime = at.toISOString();
  }

  /** @param {object} body */
  async function put(body) {
    setCurl(() => curl("PUT", "_mock/clock", { body }));
    await attempt(() => change("PUT", "clock", body));
    await part.reload();
  }

  /** @param {object} body */
  async function advance(body) {
    setCurl(() => curl("POST", "_mock/clock/advance", { body }));
    await attempt(() => change("POST", "clock/advance", body));
    await part.reload();
  }
}

/** @param {() => unknown} reload */
function nothingYet(reload) {
  const [frozen, example] = [{ mode: "frozen" }, submitLongExample()];
  const run = async () => {
    const isFrozen = await attempt(async () => Boolean(await change("PUT", "clock", frozen)), "The clock stands still.");
    if (isFrozen) await example.run();
    await reload();
  };
  return emptyBox({
    title: "Nothing falls due",
    text: "No job runs here, and none waits. This freezes the clock and submits one of nine minutes, which is done as soon as you skip them:",
    curl: `${curl("PUT", "_mock/clock", { body: frozen })}\n${example.curl}`,
    run: { label: "Run it for me", act: run },
  });
}

/**
 * @param {string} label
 * @param {() => unknown} act
 * @param {string} [kind]
 */
function button(label, act, kind = "") {
  return el("button", { type: "button", class: kind, on: { click: () => void act() } }, label);
}

/**
 * @param {string} label
 * @param {...HTMLElement} controls
 */
function row(label, ...controls) {
  return el("div", { class: "actions", role: "group", "aria-label": label }, el("span", { class: "quiet label" }, label), controls);
}

/** @param {Due} due */
function dueRow(due) {
  return el(
    "tr",
    { "data-row": true, tabindex: "-1" },
    el("td", {}, timeAgo(due.at, { words: false })),
    el("td", { class: "wide" }, el("span", { title: due.at }, localDate(due.at))),
    el("td", {}, el("a", { class: "mono", href: href(`jobs/${due.jobId}`) }, shortId(due.jobId))),
    el("td", {}, HAPPENS[due.what] ?? due.what),
  );
}
