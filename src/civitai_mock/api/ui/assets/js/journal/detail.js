/**
 * One request of the journal with its answer, and what can be made of it: a fault that hits its like, or a verify.
 *
 * @module
 */
import { change, curl } from "../api.js";
import { el, fill } from "../el.js";
import { localDate, number, stateBadge } from "../format.js";
import { parts } from "../job/journal.js";
import { closed, copyButton, describe, told } from "../notices.js";
import { href } from "../router.js";

/** @typedef {import("../pages/journal.js").Entry} Entry */
/** @typedef {{title: string, text: string, path: string, body: object, label: string, done: (answer: any) => string}} Making */

/**
 * @param {HTMLElement} node
 * @param {Entry | null} entry
 * @param {string} back the address of the list
 */
export function openEntry(node, entry, back) {
  const close = el("a", { class: "button small", href: back }, "Close");
  if (!entry) {
    const text = "It has only the last ones of all namespaces, and forgets the oldest first.";
    fill(node, el("div", { class: "state" }, el("h2", {}, "The journal has this request no more"), el("p", {}, text), close));
    return;
  }
  fill(
    node,
    el(
      "div",
      { class: "title" },
      el("h2", { class: "mono" }, `${entry.method} ${entry.path}`),
      stateBadge(entry.status < 400 ? "done" : "bad", String(entry.status)),
      el("span", { class: "spring" }),
      close,
    ),
    el(
      "div",
      { class: "body page" },
      el(
        "div",
        { class: "actions" },
        el("button", { type: "button", class: "small", on: { click: () => void make(faultOf(entry)) } }, "Make a fault"),
        el("button", { type: "button", class: "small", on: { click: () => void make(verifyOf(entry)) } }, "Make a verify"),
      ),
      facts(entry),
      !entry.fault && entry.rules.length === 0 && el("p", { class: "quiet" }, "There was no rule that could have hit it."),
      ...parts(entry),
    ),
  );
}

/** @param {Entry} entry */
function facts(entry) {
  /** @type {[string, (Node | string)[]][]} */
  const pairs = [
    ["When", [`${localDate(entry.time)} (${entry.time})`]],
    ["Took", [`${entry.ms.toFixed(1)} ms`]],
    ["Route", [entry.route ?? "none was reached"]],
    ["Hit by", entry.fault ? [el("a", { href: href("faults", { rule: entry.fault }) }, entry.fault)] : []],
    ["Jobs", entry.jobIds.map((id) => el("a", { class: "mono", href: href(`jobs/${id}`) }, id))],
  ];
  const known = pairs.filter(([, values]) => values.length > 0);
  return el("dl", { class: "facts" }, known.flatMap(([name, values]) => [el("dt", {}, name), ...values.map((value) => el("dd", {}, value))]));
}

/**
 * Return what matches the likes of a request.
 *
 * @param {Entry} entry
 */
function matchOf({ method, route }) {
  return { method, ...(route ? { route } : {}) };
}

/**
 * @param {Entry} entry
 * @returns {Making}
 */
function faultOf(entry) {
  return {
    title: "Make a fault of this request",
    text: "The next one like it gets this answer. Change what you want of the rule, then add it.",
    path: "faults",
    body: { match: matchOf(entry), action: { status: 503 }, times: 1 },
    label: "Add the rule",
    done: (rule) => `The rule ${rule.id} is on.`,
  };
}

/**
 * @param {Entry} entry
 * @returns {Making}
 */
function verifyOf(entry) {
  return {
    title: "Make a verify of this request",
    text: "It counts the requests like it, and fails if others came than were expected.",
    path: "verify",
    body: { match: matchOf(entry), count: { min: 1 } },
    label: "Verify",
    done: ({ count }) => `As expected: ${number(count)} came.`,
  };
}

/**
 * Show what would be sent, to be changed, copied as curl, or sent.
 *
 * @param {Making} making
 */
async function make({ title, text, path, body, label, done }) {
  const json = el("textarea", { rows: "11", spellcheck: "false", class: "mono", "aria-label": "What is sent, as JSON" });
  json.value = JSON.stringify(body, null, 2);
  const wrong = el("div", { role: "alert" });
  const dialog = el(
    "dialog",
    { "aria-labelledby": "make-title" },
    el("h2", { id: "make-title" }, title),
    el("p", {}, text),
    json,
    wrong,
    el(
      "div",
      { class: "actions" },
      copyButton("Copy as curl", () => curl("POST", `_mock/${path}`, { body: read() ?? body }), "the command"),
      el("button", { type: "button", on: { click: () => dialog.close("") } }, "Close"),
      el("button", { type: "button", class: "primary", on: { click: () => void submit() } }, label),
    ),
  );

  /** @param {{title: string, detail: string, lines: string[]}} about */
  function refuse(about) {
    fill(wrong, el("div", { class: "reason" }, el("strong", {}, about.title), [about.detail, ...about.lines].map((line) => line && el("p", {}, line))));
  }

  /** @returns {unknown} undefined if it is not JSON, which is told */
  function read() {
    fill(wrong);
    try {
      return JSON.parse(json.value);
    } catch (error) {
      refuse({ title: "That is not JSON", detail: error instanceof Error ? error.message : String(error), lines: [] });
      return undefined;
    }
  }

  async function submit() {
    const sent = read();
    if (sent === undefined) return;
    try {
      const answer = await change("POST", path, sent);
      dialog.close("done");
      told(done(answer));
    } catch (error) {
      refuse(describe(error));
    }
  }
  await closed(dialog);
}
