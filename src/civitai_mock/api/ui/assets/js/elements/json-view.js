/**
 * JSON as text that can be read, copied and saved.
 *
 * @module
 */
import { download } from "../downloads.js";
import { el } from "../el.js";
import { copyButton } from "../notices.js";

const MOST_SHOWN = 200_000;

/**
 * @param {string} title
 * @param {unknown} value
 * @param {string} [file] the name under which it is saved
 */
export function jsonView(title, value, file = "value.json") {
  const text = JSON.stringify(value, null, 2) ?? "";
  const shown = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}\n… ${text.length - MOST_SHOWN} more letters; save it to see them` : text;
  return el(
    "section",
    { class: "json" },
    el(
      "div",
      { class: "actions" },
      el("h2", {}, title),
      el("span", { class: "spring" }),
      copyButton("Copy", () => text, title),
      el("button", { type: "button", class: "small", on: { click: () => download(file, text, "application/json") } }, "Save"),
    ),
    el("pre", { tabindex: "0" }, el("code", {}, shown)),
  );
}
