/**
 * The tab Journal: which requests touched the job, and which faults were looked at for each.
 *
 * @module
 */
import { el, fill, keyed } from "../el.js";
import { jsonView } from "../elements/json-view.js";
import { localDate, localTime, stateBadge } from "../format.js";
import { emptyBox, keep } from "../part.js";
import { requestsOf } from "./orders.js";

/** @typedef {import("./orders.js").Entry} Entry */

/** @param {import("./tabs.js").TabContext} context */
export function open({ node, id, signal }) {
  const place = el("div");
  const list = el("div", { class: "page" });
  node.append(place);
  keep({
    signal,
    node: place,
    load: (ending) => requestsOf(id, ending),
    show: (entries) => {
      if (entries.length === 0) {
        fill(place, emptyBox({ title: "No requests", text: "The journal has no request that named this job, or none any more." }));
        return;
      }
      if (list.parentElement !== place) fill(place, list);
      keyed(list, entries, { key: (entry) => entry.id, make: entryNode });
    },
    wants: (messages) => messages.some((message) => message.jobId === id),
  });
  return () => undefined;
}

/** @param {Entry} entry */
function entryNode(entry) {
  const body = el("div", { class: "page" });
  const details = el(
    "details",
    {},
    el(
      "summary",
      {},
      el("span", { class: "quiet", title: `${localDate(entry.time)} (${entry.time})` }, localTime(entry.time)),
      el("strong", {}, entry.method),
      el("span", { class: "clip mono", title: entry.path }, entry.path),
      stateBadge(entry.status < 400 ? "done" : "bad", String(entry.status)),
      el("span", { class: "quiet" }, `${entry.ms.toFixed(1)} ms`),
      entry.fault && el("span", { class: "chip bad" }, entry.fault),
    ),
    body,
  );
  details.addEventListener("toggle", () => details.open && !body.hasChildNodes() && fill(body, parts(entry)), { once: true });
  return el("div", { class: "entry" }, details);
}

/**
 * Return what is known of a request beyond its line: the rules that were looked at, headers and bodies.
 *
 * @param {Entry} entry
 */
export function parts(entry) {
  return [
    el("p", { class: "quiet small" }, "trace id ", el("code", {}, entry.traceId)),
    entry.rules.length > 0 && rules(entry.rules),
    jsonView("Request", { headers: entry.request.headers, body: entry.request.body }, `${entry.id}-request.json`),
    jsonView("Answer", { headers: entry.response.headers, body: entry.response.body }, `${entry.id}-answer.json`),
  ];
}

/** @param {{id: string, matched: boolean, failed?: string}[]} looks */
function rules(looks) {
  return el(
    "section",
    {},
    el("h2", {}, "Rules that were looked at"),
    el(
      "ul",
      {},
      looks.map(({ id, matched, failed }) => el("li", {}, el("code", {}, id), " ", matched ? "matched" : `did not match: ${failed ?? ""}`)),
    ),
  );
}
