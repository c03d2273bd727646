/**
 * The keyboard: letters that do what buttons do; off while somebody types, and off if somebody wants that (WCAG 2.1.4).
 *
 * Rows that are marked by `data-row` are moved through, and the search is what is marked by `data-search`.
 *
 * @module
 */
import { el } from "./el.js";
import { closed } from "./notices.js";
import { PAGES } from "./pages.js";
import { go, href } from "./router.js";
import { toggleHold } from "./store.js";

const OFF = "civitai-mock.keys";
const GO_MS = 1500;

let goesUntil = 0;
/** @type {() => void} */
let copyCurl = () => {};

/** @type {readonly [string, string][]} */
const HELP = [
  ["/", "search"],
  ["j  k", "next, previous row"],
  ["Enter", "open the row"],
  ["x", "select the row"],
  ["Esc", "leave the field, or go back"],
  ["y", "copy as curl"],
  [".", "hold the display still, or let it go on"],
  ["?", "this help"],
];

/** @type {Record<string, () => unknown>} */
const ACTS = {
  "/": () => found("[data-search]")?.focus(),
  j: () => move(1),
  k: () => move(-1),
  Enter: () => document.activeElement?.closest("[data-row]")?.querySelector("a")?.click(),
  x: () => document.activeElement?.closest("[data-row]")?.querySelector("input")?.click(),
  y: () => copyCurl(),
  ".": toggleHold,
  "?": showHelp,
};

/** @param {() => void} copy copies the command of the page that is shown */
export function startKeys(copy) {
  copyCurl = copy;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") escape(event);
    else if (areOn() && !isTyping(event.target) && !document.querySelector("dialog[open]")) press(event);
  });
}

/** @param {KeyboardEvent} event */
function press(event) {
  const page = Date.now() < goesUntil ? PAGES.find((entry) => entry.key === event.key) : undefined;
  goesUntil = 0;
  if (page) go(href(page.name));
  else if (event.key === "g") goesUntil = Date.now() + GO_MS;
  else if (event.key === "Enter" && document.activeElement?.matches("a, button, summary, input")) return;
  else if (ACTS[event.key]) ACTS[event.key]();
  else return;
  event.preventDefault();
}

/** @param {KeyboardEvent} event */
function escape(event) {
  if (document.querySelector("dialog[open]")) return; // the dialog closes itself
  if (isTyping(event.target)) /** @type {HTMLElement} */ (event.target).blur();
  else if (areOn() && history.length > 1 && location.pathname.split("/ui/")[1]?.includes("/")) history.back();
}

/** @param {1 | -1} step */
function move(step) {
  const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("main [data-row]")]);
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

/**
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
function found(selector) {
  return document.querySelector(selector);
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof HTMLElement && target.matches("input:not([type=checkbox]), textarea, select");
}

function areOn() {
  return localStorage.getItem(OFF) !== "off";
}

/** Show which keys there are, and let them be switched off. */
export function showHelp() {
  const box = el("input", { type: "checkbox", id: "keys-on", checked: areOn() });
  box.addEventListener("change", () => localStorage.setItem(OFF, box.checked ? "on" : "off"));
  const rows = [...HELP, ...PAGES.map((page) => [`g ${page.key}`, `go to ${page.title}`])];
  const dialog = el(
    "dialog",
    { "aria-labelledby": "dialog-title" },
    el("h2", { id: "dialog-title" }, "Keyboard"),
    el("dl", { class: "keys" }, rows.flatMap(([key, text]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, text)])),
    el("p", {}, box, " ", el("label", { for: "keys-on" }, "Letters are shortcuts")),
    el("div", { class: "actions" }, el("button", { type: "button", on: { click: () => dialog.close() } }, "Close")),
  );
  void closed(dialog);
}
