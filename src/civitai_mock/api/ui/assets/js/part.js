/**
 * A part of a page that shows something of the server, and keeps it as it is there: loading, filled, empty or broken.
 *
 * @module
 */
import { ApiError, askAgain, LeftError } from "./api.js";
import { el, fill } from "./el.js";
import { describe, failed } from "./notices.js";
import { connection, listen } from "./store.js";

const PAUSE_MS = 350; // between two loads, while much happens
const TOLD_MS = 3000; // before a toast: of a lost connection the header tells
const SLOW_MS = 250; // before "Loading" is shown: what comes at once must not flash

/** @typedef {import("./source.js").Message} Message */

/**
 * @template T
 * @typedef {object} PartOptions
 * @property {AbortSignal} signal ends it: that of the page
 * @property {HTMLElement} node is filled by `show`, or by a box if nothing could be loaded
 * @property {(signal: AbortSignal) => Promise<T>} load
 * @property {(data: T) => void} show
 * @property {(messages: Message[]) => boolean} [wants] says whether messages mean to load anew; all do, if it is left out
 * @property {boolean} [isStill] is shown again only if its JSON is another: somebody may write in it, or select
 * @property {number} [everyMs] loads anew that often: for what the stream tells nothing, or not all, of
 */

/**
 * Keep a part as the server has it: load it now, and again when messages of the stream say that it is another.
 *
 * @template T
 * @param {PartOptions<T>} options
 * @returns {{reload: () => Promise<void>}}
 */
export function keep({ signal, node, load, show, wants = () => true, isStill = false, everyMs }) {
  let telling = 0;
  let isLastTry = false; // of a load that had no connection
  let shown = "";
  let told = ""; // what failed last: its toast comes once
  let [isLoaded, isLoading, isDirty] = [false, false, false];
  const slow = setTimeout(() => {
    if (!isLoaded && !signal.aborted) fill(node, el("p", { class: "state loading", role: "status" }, "Loading…"));
  }, SLOW_MS);

  async function reload() {
    if (signal.aborted) return;
    if (isLoading || document.hidden) {
      isDirty = true;
      return;
    }
    [isLoading, isDirty] = [true, false];
    try {
      const data = await load(signal);
      if (signal.aborted) return;
      clearTimeout(slow);
      clearTimeout(telling);
      telling = 0;
      isLastTry = false;
      const text = isStill ? JSON.stringify(data) : "";
      if (!isLoaded) fill(node);
      if (!isLoaded || !text || text !== shown) show(data);
      isLoaded = true;
      [shown, told] = [text, ""];
    } catch (error) {
      clearTimeout(slow);
      fail(error);
    } finally {
      setTimeout(() => {
        isLoading = false;
        if (isDirty && !connection.isHeld) void reload();
      }, PAUSE_MS);
    }
  }

  /** @param {unknown} error */
  function fail(error) {
    if (error instanceof LeftError || signal.aborted) return;
    if (!(error instanceof ApiError) || error.kind !== "network" || isLastTry) tell(error);
    else if (!telling) {
      telling = setTimeout(() => {
        telling = 0;
        isLastTry = connection.state === "live";
        if (isLastTry) void reload();
      }, TOLD_MS);
    }
    if (!isLoaded) fill(node, brokenBox(error, again));
    else if (!(error instanceof ApiError)) {
      isLoaded = false; // it broke while it was drawn: what is there is no truth
      fill(node, brokenBox(error, again));
    }
  }

  /** @param {unknown} error */
  function tell(error) {
    const text = String(error);
    if (text !== told) failed(error, { retry: again });
    told = text;
  }

  function again() {
    told = "";
    askAgain();
    return reload();
  }

  listen(signal, (messages) => {
    if (messages.some((message) => message.type === "resync") || wants(messages)) void reload();
  });
  document.addEventListener("visibilitychange", () => isDirty && !document.hidden && void reload(), { signal });
  if (everyMs) {
    const looking = setInterval(() => connection.isHeld || void reload(), everyMs); // it is read anew when it goes on
    signal.addEventListener("abort", () => clearInterval(looking));
  }
  void reload();
  return { reload };
}

/**
 * Make what stands in the place of a part that broke; the rest of the page goes on.
 *
 * @param {unknown} error
 * @param {() => unknown} retry
 */
export function brokenBox(error, retry) {
  const about = describe(error);
  return el(
    "div",
    { class: "state broken" },
    el("h2", {}, about.title),
    about.detail && el("p", {}, about.detail),
    about.traceId && el("p", { class: "quiet" }, "trace id ", el("code", {}, about.traceId)),
    el("button", { type: "button", on: { click: () => void retry() } }, "Try again"),
  );
}

/**
 * Have a place say why nothing is in it; what says so already stays, with its focus.
 *
 * @param {HTMLElement} place
 * @param {string} why
 * @param {() => HTMLElement} make
 */
export function explain(place, why, make) {
  const now = place.firstElementChild;
  if (now instanceof HTMLElement && now.dataset.why === why) return;
  const box = make();
  box.dataset.why = why;
  fill(place, box);
}

/**
 * Make what teaches where nothing is yet: what would be here, and how to put something here.
 *
 * @param {{title: string, text: string, curl?: string, run?: {label: string, act: () => unknown}}} about
 */
export function emptyBox({ title, text, curl, run }) {
  return el(
    "div",
    { class: "state empty" },
    el("h2", {}, title),
    el("p", {}, text),
    curl && el("pre", { tabindex: "0" }, el("code", {}, curl)),
    run && el("button", { type: "button", class: "primary", on: { click: () => void run.act() } }, run.label),
  );
}
