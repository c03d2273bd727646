/**
 * The header of every page: where I am, what time it is there, whether I hear of it, and what goes wrong on purpose.
 *
 * @module
 */
import { get } from "./api.js";
import { el, keyed, say } from "./el.js";
import { clockMode, localDate, localTime, now, setClock } from "./format.js";
import { showHelp } from "./keys.js";
import { findPage } from "./pages.js";
import { keep } from "./part.js";
import { DEFAULT_NAMESPACE, go, here, href, namespace } from "./router.js";
import { connection, onConnection, refreshAll, toggleHold } from "./store.js";

const EACH_MS = 900; // so that a change that somebody makes elsewhere is seen within a second
const MOST_CHIPS = 3;
const THEME = "civitai-mock.theme";
const THEMES = ["system", "light", "dark"];

/** @typedef {{namespaces: string[], faults: Rule[], scenarios: {name: string, state: string}[], clock: {mode: string, rate: number, now: string}, version: string}} State */
/** @typedef {{id: string, preset?: string, action?: object, left?: number, enabled?: boolean}} Rule */

/**
 * @param {AbortSignal} signal
 * @returns {HTMLElement}
 */
export function makeHeader(signal) {
  const clock = el(findPage("clock") ? "a" : "span", { class: "clock", href: findPage("clock") && href("clock") });
  const chips = el("div", { class: "chips", role: "group", "aria-label": "Faults that are on" });
  const chooser = el("select", { id: "namespace", "aria-label": "Namespace" });
  chooser.addEventListener("change", () => chooseNamespace(chooser.value));
  const word = el("button", { type: "button", class: "connection", on: { click: toggleHold } });
  drawConnection(word);
  onConnection(signal, () => drawConnection(word));
  const ticking = setInterval(() => drawClock(clock), 250);

  let version = "";
  keep({
    signal,
    node: el("div"),
    load: (ending) => get("state", { signal: ending }),
    show: (/** @type {State} */ state) => {
      setClock(state.clock);
      drawNames(chooser, state.namespaces);
      drawChips(chips, state.faults, state.scenarios);
      drawClock(clock);
      if (version && version !== state.version) refreshAll();
      version = state.version;
    },
    wants: () => false,
    everyMs: EACH_MS,
  });
  signal.addEventListener("abort", () => clearInterval(ticking));

  return el(
    "header",
    { class: "top" },
    el("a", { class: "brand", href: href("queue") }, "civitai-mock"),
    el("div", { class: "field" }, el("label", { for: "namespace", class: "quiet" }, "Namespace"), chooser),
    chips,
    el("span", { class: "spring" }),
    clock,
    word,
    themeButton(),
    el("button", { type: "button", class: "plain", "aria-label": "Keyboard shortcuts", on: { click: showHelp } }, "?"),
  );
}

/** @param {string} name */
function chooseNamespace(name) {
  go(href(here().page, { namespace: name }));
}

/**
 * @param {HTMLSelectElement} chooser
 * @param {string[]} names
 */
function drawNames(chooser, names) {
  const all = names.includes(namespace()) ? names : [...names, namespace()];
  keyed(chooser, all, { key: (name) => name, make: (name) => el("option", { value: name }, name) });
  chooser.value = namespace();
}

/**
 * @param {HTMLElement} chips
 * @param {Rule[]} rules those that are on
 * @param {State["scenarios"]} scenarios
 */
function drawChips(chips, rules, scenarios) {
  const on = [
    ...rules.map((rule) => rule.preset ?? Object.keys(rule.action ?? {})[0] ?? rule.id),
    ...scenarios.map(({ name, state }) => `${name}/${state}`),
  ];
  const faults = findPage("faults");
  const chip = (/** @type {string} */ text) =>
    el(faults ? "a" : "span", { class: "chip bad", href: faults && href("faults") }, text);
  const texts = [...on.slice(0, MOST_CHIPS), ...(on.length > MOST_CHIPS ? [`${on.length - MOST_CHIPS} more`] : [])];
  keyed(chips, texts.map((text, at) => ({ text, at })), { key: ({ text, at }) => `${at} ${text}`, make: ({ text }) => chip(text) });
  chips.hidden = on.length === 0;
}

/** @param {HTMLElement} clock */
function drawClock(clock) {
  const { mode, rate } = clockMode();
  const how = mode === "real" ? "" : mode === "frozen" ? " · frozen" : ` · ×${rate}`;
  say(clock, `${localTime(now())}${how}`);
  clock.classList.toggle("odd", mode !== "real");
  const title = `${localDate(now())} (${new Date(now()).toISOString().slice(0, 19)}Z), the time of this namespace`;
  if (clock.title !== title) clock.title = title;
}

/** @param {HTMLElement} word */
function drawConnection(word) {
  const [text, state] = connectionWord();
  say(word, text);
  word.className = `connection ${state}`;
  word.setAttribute("aria-pressed", String(connection.isHeld));
  word.title = connection.isHeld ? "The display is held still; press to go on" : connection.why || "Press to hold the display still";
}

/** @returns {[string, string]} */
function connectionWord() {
  if (connection.isHeld) return ["Held", "held"];
  switch (connection.state) {
    case "live":
      return ["Live", "done"];
    case "connecting":
      return ["Connecting", "waiting"];
    case "refused":
      return ["Polling", "waiting"];
    default:
      return ["No answer", "bad"];
  }
}

function themeButton() {
  const button = el("button", { type: "button", class: "plain" });
  const draw = () => say(button, `Theme: ${localStorage.getItem(THEME) ?? "system"}`);
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(localStorage.getItem(THEME) ?? "system") + 1) % THEMES.length];
    if (next === "system") {
      localStorage.removeItem(THEME);
      delete document.documentElement.dataset.theme;
    } else {
      localStorage.setItem(THEME, next);
      document.documentElement.dataset.theme = next;
    }
    draw();
  });
  draw();
  return button;
}
