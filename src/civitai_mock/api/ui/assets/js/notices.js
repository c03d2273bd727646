/**
 * Tell what happened, and ask: a failure stays until it is closed, a success goes by itself.
 *
 * @module
 */
import { ApiError, askAgain, LeftError } from "./api.js";
import { el, say } from "./el.js";

const SUCCESS_MS = 4000;
const MOST = 5;

/** @type {HTMLElement} */
export const toasts = el("section", { class: "toasts", "aria-label": "Notices" });

/** @type {Map<string, {node: HTMLElement, count: number, again: HTMLElement}>} */
const shown = new Map();

/** @param {string} text */
export function told(text) {
  const node = el("div", { class: "toast done", role: "status" }, el("p", {}, text));
  toasts.append(node);
  setTimeout(() => node.remove(), SUCCESS_MS);
}

/**
 * Show why something failed; the same failure again is counted, not shown twice.
 *
 * @param {unknown} error
 * @param {{retry?: () => unknown, key?: string}} [more] failures of one key are the same
 */
export function failed(error, { retry, key: given } = {}) {
  if (error instanceof LeftError) return;
  const about = describe(error);
  const key = given ?? `${about.title}\n${about.detail}`;
  const before = shown.get(key);
  if (before?.node.isConnected) {
    before.count += 1;
    say(before.again, `×${before.count}`);
    return;
  }
  const again = el("span", { class: "quiet" });
  const close = () => node.remove();
  const node = el(
    "div",
    { class: "toast bad", role: "alert" },
    el("h2", {}, about.title, " ", again),
    about.detail && el("p", {}, about.detail),
    about.lines.length > 0 && el("ul", {}, about.lines.map((line) => el("li", {}, line))),
    about.traceId && el("p", { class: "quiet" }, "trace id ", el("code", {}, about.traceId)),
    el(
      "div",
      { class: "actions" },
      el("button", { type: "button", on: { click: () => void copy(about.text, "the error") } }, "Copy"),
      retry && el("button", { type: "button", on: { click: () => (close(), askAgain(), void retry()) } }, "Try again"),
      el("button", { type: "button", on: { click: close } }, "Close"),
    ),
  );
  shown.set(key, { node, count: 1, again });
  toasts.append(node);
  const all = [...toasts.querySelectorAll(".toast.bad")];
  for (const old of all.slice(0, Math.max(0, all.length - MOST))) old.remove();
}

/**
 * Do something for the user, and tell how it went; return what came of it, or undefined if it failed.
 *
 * @template T
 * @param {() => Promise<T>} action
 * @param {string | ((value: T) => string)} [text]
 * @returns {Promise<T | undefined>}
 */
export async function attempt(action, text) {
  try {
    const value = await action();
    if (text) told(typeof text === "function" ? text(value) : text);
    return value;
  } catch (error) {
    failed(error, { retry: () => attempt(action, text) });
    return undefined;
  }
}

/**
 * @param {unknown} error
 * @returns {{title: string, detail: string, lines: string[], traceId: string, text: string}}
 */
export function describe(error) {
  let [title, detail, traceId] = ["Something in this page broke", String(error), ""];
  /** @type {string[]} */
  let lines = [];
  if (error instanceof ApiError) {
    [title, detail, traceId] = [error.message, error.detail, error.traceId];
    lines = Object.entries(error.errors).flatMap(([path, texts]) => texts.map((text) => `${path}: ${text}`));
  }
  const text = [title, detail, ...lines, traceId && `trace id ${traceId}`].filter(Boolean).join("\n");
  return { title, detail, lines, traceId, text };
}

/**
 * @param {string} text
 * @param {string} what
 */
export async function copy(text, what) {
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else copyBySelection(text);
    told(`Copied ${what}.`);
  } catch (error) {
    failed(error);
  }
}

/** @param {string} text */
function copyBySelection(text) {
  const before = document.activeElement;
  const area = el("textarea", { class: "offscreen", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  if (!isDone) throw new Error("This browser lets no page copy without TLS.");
}

/**
 * Make a button that copies a text, which may be known only when it is pressed.
 *
 * @param {string} label
 * @param {() => string} text
 * @param {string} [what]
 */
export function copyButton(label, text, what = label) {
  return el("button", { type: "button", class: "small", on: { click: () => void copy(text(), what) } }, label);
}

/**
 * Show a dialog until it is closed, and return its value; an empty one is a dialog that was left.
 *
 * @param {HTMLDialogElement} dialog
 * @returns {Promise<string>}
 */
export function closed(dialog) {
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        dialog.remove();
        resolve(dialog.returnValue);
      },
      { once: true },
    );
  });
}

/**
 * Ask before something that cannot be taken back; say what, and how many, and by which command a terminal does it.
 *
 * @param {{title: string, text: string, label: string, curl?: () => string}} about
 * @returns {Promise<boolean>}
 */
export async function confirmed({ title, text, label, curl }) {
  const dialog = el(
    "dialog",
    { "aria-labelledby": "dialog-title" },
    el("h2", { id: "dialog-title" }, title),
    el("p", {}, text),
    el(
      "div",
      { class: "actions" },
      curl && copyButton("Copy as curl", curl, "the command"),
      el("button", { type: "button", on: { click: () => dialog.close("") } }, "Leave it"),
      el("button", { type: "button", class: "danger", on: { click: () => dialog.close("yes") } }, label),
    ),
  );
  return (await closed(dialog)) === "yes";
}

/** @returns {Promise<string | null>} the token of the control plane; null if nobody gives one */
export async function askForToken() {
  const input = el("input", { type: "password", id: "token", autocomplete: "off", required: true });
  const dialog = el(
    "dialog",
    { "aria-labelledby": "dialog-title" },
    el("h2", { id: "dialog-title" }, "This server asks for its token"),
    el("p", {}, "It is the ADMIN_TOKEN in its settings. This tab keeps it until you close it."),
    el(
      "form",
      { on: { submit: (/** @type {Event} */ event) => (event.preventDefault(), dialog.close(input.value.trim())) } },
      el("label", { for: "token" }, "Token"),
      input,
      el(
        "div",
        { class: "actions" },
        el("button", { type: "button", on: { click: () => dialog.close("") } }, "Cancel"),
        el("button", { type: "submit", class: "primary" }, "Use it"),
      ),
    ),
  );
  return (await closed(dialog)) || null;
}
