/**
 * The page of graphs: one that is pasted or dropped here, or what differs between those of two jobs.
 *
 * @module
 */
import { curl, get } from "../api.js";
import { isGraph } from "../draw/graph.js";
import { el, fill } from "../el.js";
import { graphView } from "../elements/graph-view.js";
import { attempt, failed } from "../notices.js";
import { readJson } from "../read-json.js";
import { setQuery } from "../router.js";
import { openInComfyUI } from "../servers.js";

/** @typedef {{path: string, kind?: string, a?: unknown, b?: unknown}} Change */

/** @param {import("../pages.js").Context} context */
export function open({ node, signal, place, setCurl }) {
  const [a, b] = ["a", "b"].map((name) => el("input", { type: "text", class: "mono", "aria-label": `Job ${name}`, placeholder: `id of job ${name}`, value: place.query.get(name) ?? "" }));
  const shown = el("div", { class: "page" });
  const text = el("textarea", { rows: "8", class: "mono", spellcheck: "false", "aria-label": "Graph in API format", placeholder: '{"3": {"class_type": "KSampler", "inputs": {…}}}' });

  /** @param {string} json */
  function show(json) {
    const graph = readJson(json, "That is not JSON");
    if (graph === undefined) return;
    if (!isGraph(graph)) failed(new Error("That is no graph in API format: each node needs a class_type. In ComfyUI it is “Export (API)”."));
    else fill(shown, panel("Graph", el("div", { class: "page" }, graphView(graph, { label: "The graph that was pasted", file: "graph.json" }), openInComfyUI(signal))));
  }

  async function compare() {
    setCurl(() => curl("GET", "_mock/graph/diff", { query: { a: a?.value.trim(), b: b?.value.trim() } }));
    setQuery({ a: a?.value.trim(), b: b?.value.trim() }, { replaces: true });
    const found = await attempt(() => get("graph/diff", { signal, query: { a: a?.value.trim(), b: b?.value.trim() } }));
    if (found) fill(shown, panel("What differs", differences(found)));
  }

  node.addEventListener("dragover", (event) => event.preventDefault());
  node.addEventListener("drop", (event) => {
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file) void file.text().then((dropped) => show((text.value = dropped)));
  });
  node.append(
    panel(
      "A graph of yours",
      el("div", { class: "page" }, el("p", { class: "quiet" }, "Paste a graph in API format, or drop its file here. Nothing is sent."), text, el("div", { class: "actions" }, el("button", { type: "button", class: "primary", on: { click: () => show(text.value) } }, "Show it"))),
    ),
    panel("Two jobs", el("div", { class: "actions" }, a, b, el("button", { type: "button", on: { click: () => void compare() } }, "Compare"))),
    shown,
  );
  if (a?.value && b?.value) void compare();
}

/**
 * @param {string} title
 * @param {HTMLElement} body
 */
function panel(title, body) {
  return el("section", { class: "panel", "aria-label": title }, el("div", { class: "title" }, el("h2", {}, title)), el("div", { class: "body" }, body));
}

/** @param {{equal: boolean, changes: any[]}} found */
function differences({ equal, changes }) {
  if (equal) return el("p", {}, "Nothing: both have the same graph.");
  const names = [...new Set(changes.flatMap((change) => Object.keys(change)))];
  return el(
    "div",
    { class: "scroll" },
    el(
      "table",
      {},
      el("thead", {}, el("tr", {}, names.map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, changes.map((change) => el("tr", {}, names.map((name) => el("td", {}, el("code", { class: "value" }, change[name] === undefined ? "" : typeof change[name] === "string" ? change[name] : JSON.stringify(change[name]))))))),
    ),
  );
}
