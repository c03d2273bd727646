/**
 * The page of all requests that came in, the youngest first, and beside them the one that is chosen.
 *
 * @module
 */
import { asApp, change, curl, get, send } from "../api.js";
import { downloadBlob } from "../downloads.js";
import { el, fill, keyed, say } from "../el.js";
import { localDate, localTime, stateBadge } from "../format.js";
import { isFarDown, makeFresh } from "../fresh.js";
import { openEntry } from "../journal/detail.js";
import { attempt, confirmed } from "../notices.js";
import { emptyBox, explain, keep } from "../part.js";
import { go, here, href, MOCK, namespace, setQuery } from "../router.js";
import { connection, onConnection, toggleHold } from "../store.js";

const TAKE = 50;
const EACH_MS = 900; // as the stream tells of jobs alone
const EXAMPLE = "v2/consumer/workflows";
const FILE_NAME = "civitai-mock.har";
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const FILTERS = ["method", "status", "jobId", "fault"];
const STATUS = /^([1-5]\d\d)?$/;

/** @typedef {import("../job/orders.js").Entry & {route: string | null}} Entry */
/** @typedef {Omit<Entry, "request" | "response">} BriefEntry */
/** @typedef {{items: BriefEntry[], next?: string, incomplete?: boolean, chosen?: Entry | null}} Listing */

/** @param {import("../pages.js").Context} context */
export function open({ node, actions, signal, place, setTitle, setCurl, onPlace }) {
  const list = el("div", { class: "list page" });
  const detail = el("section", { class: "detail panel", "aria-label": "Request" });
  const panes = el("div", { class: "panes page" }, list, detail);
  const entries = openList({ list, actions, signal, detail });
  node.append(panes);

  /** @param {import("../router.js").Place} to */
  function show(to) {
    const [id = ""] = to.rest;
    panes.classList.toggle("open", Boolean(id));
    detail.hidden = !id;
    setTitle(id ? "Request" : "Journal");
    setCurl(() => curl("GET", "_mock/journal", { query: id ? { id } : filters() }));
    entries.choose(id);
  }
  onPlace(show);
  show(place);
}

function filters() {
  const { query } = here();
  return Object.fromEntries(FILTERS.map((name) => [name, query.get(name)]));
}

/** @param {{list: HTMLElement, actions: HTMLElement, signal: AbortSignal, detail: HTMLElement}} context */
function openList({ list, actions, signal, detail }) {
  let cursors = [""]; // of the pages up to this one
  let next = "";
  let chosen = "";
  let shown = ""; // beside the list
  let isWell = true;
  let asked = location.search;
  let drawn = ""; // the query and the page whose rows stand there
  const inputs = openFilters(signal);
  const body = el("tbody");
  const table = el("div", { class: "panel scroll" }, el("table", { class: "journal" }, el("caption", { class: "offscreen" }, "Requests, the youngest first"), head(), body));
  const newer = el("button", { type: "button", class: "small", on: { click: () => turn(-1) } }, "Newer");
  const older = el("button", { type: "button", class: "small", on: { click: () => turn(1) } }, "Older");
  const note = el("p", { class: "quiet spring", role: "status" });
  const foot = el("div", { class: "filters" }, note, newer, older);
  const place = el("div", { class: "page" });
  const pause = el("button", { type: "button", class: "small", on: { click: toggleHold } });
  const fresh = makeFresh(showFresh);
  actions.append(
    fresh.node,
    pause,
    el("button", { type: "button", class: "small", on: { click: () => void saveHar(signal) } }, "Save as HAR"),
    el("button", { type: "button", class: "small danger", on: { click: () => void askAndClear().then(reload) } }, "Clear …"),
  );
  list.append(inputs.node, place, foot);
  onConnection(signal, sayPause);
  sayPause();

  const part = keep({
    signal,
    node: place,
    load: async (ending) => {
      isWell = false;
      /** @type {Listing} */
      const found = await get("journal", { signal: ending, query: { ...filters(), messages: "false", take: TAKE, cursor: cursors.at(-1) } });
      const id = chosen;
      if (id && shown !== id) found.chosen = await find(id, ending);
      return found;
    },
    show: (found) => {
      isWell = true;
      if (isReading(found)) showLater(found);
      else draw(found);
      openChosen(found);
    },
    wants: () => false,
  });
  const looking = setInterval(() => {
    if (isWell && !connection.isHeld && cursors.length === 1) void part.reload();
  }, EACH_MS);
  signal.addEventListener("abort", () => clearInterval(looking));

  function sayPause() {
    say(pause, connection.isHeld ? "Go on" : "Pause");
    pause.setAttribute("aria-pressed", String(connection.isHeld));
  }

  /**
   * Say whether new rows would move what somebody reads.
   *
   * @param {Listing} found
   */
  function isReading(found) {
    return cursors.length === 1 && drawn === location.search && isFarDown() && body.rows.length > 0 && found.items.length > 0;
  }

  /** @param {Listing} found */
  function showLater(found) {
    fresh.tell(found.items.map(({ id }) => id), [...body.rows].map((row) => row.dataset.key), TAKE);
  }

  function showFresh() {
    drawn = "";
    reload();
  }

  /** @param {Listing} found */
  function draw(found) {
    drawn = cursors.length === 1 ? location.search : "";
    fresh.hide();
    next = found.next ?? "";
    const isEmpty = found.items.length === 0 && cursors.length === 1;
    if (isEmpty && Object.values(filters()).some(Boolean)) explain(place, "filtered", noMatch);
    else if (isEmpty) explain(place, "empty", () => nothingYet(reload));
    else if (table.parentElement !== place) fill(place, table);
    keyed(body, found.items, { key: (entry) => entry.id, make: makeRow });
    [newer.hidden, older.hidden] = [cursors.length === 1, !next];
    say(note, found.incomplete ? "Some are missing: a process that may have had them does not live any more." : "");
    foot.hidden = newer.hidden && older.hidden && !found.incomplete;
    mark();
  }

  /** @param {Listing} found */
  function openChosen(found) {
    if (found.chosen === undefined || !chosen || shown === chosen) return;
    shown = chosen;
    openEntry(detail, found.chosen, href("journal", here().query));
  }

  function mark() {
    for (const row of body.rows) row.toggleAttribute("aria-current", false);
    [...body.rows].find((row) => row.dataset.key === chosen)?.setAttribute("aria-current", "true");
  }

  /** @param {1 | -1} step */
  function turn(step) {
    if (step > 0 && next) cursors = [...cursors, next];
    else cursors = cursors.slice(0, Math.max(1, cursors.length - 1));
    scrollTo({ top: 0 });
    reload();
  }

  function reload() {
    void part.reload();
  }

  return {
    /** @param {string} id */
    choose(id) {
      if (asked !== location.search) cursors = [""];
      asked = location.search;
      chosen = id;
      if (shown !== id) {
        shown = "";
        fill(detail);
      }
      inputs.show();
      mark();
      reload();
    },
  };
}

/**
 * Return an entry with its messages; null if the journal has it no more.
 *
 * @param {string} id
 * @param {AbortSignal} signal
 * @returns {Promise<Entry | null>}
 */
async function find(id, signal) {
  const found = await get("journal", { signal, query: { id } });
  return found.items[0] ?? null;
}

/** @param {AbortSignal} signal */
async function saveHar(signal) {
  await attempt(async () => {
    const answer = await send("GET", new URL("journal/har", MOCK), { query: filters(), signal });
    downloadBlob(FILE_NAME, await answer.blob());
  }, "The journal is saved.");
}

async function askAndClear() {
  const name = namespace();
  const text = `All requests of the namespace “${name}” are forgotten; a verify counts from then on.`;
  if (!(await confirmed({ title: `Clear the journal of “${name}”?`, text, label: "Clear it" }))) return;
  await attempt(() => change("DELETE", "journal"), "The journal is empty.");
}

/** @param {AbortSignal} signal */
function openFilters(signal) {
  const method = el("select", { "aria-label": "Method" }, ["", ...METHODS].map((name) => el("option", { value: name }, name || "any method")));
  const status = el("input", { type: "text", inputmode: "numeric", class: "filter", placeholder: "Status", "aria-label": "Status" });
  const jobId = el("input", { type: "search", "data-search": true, placeholder: "Id of a job", "aria-label": "Id of a job" });
  method.addEventListener("change", () => setQuery({ method: method.value }), { signal });
  const fault = el("input", { type: "text", class: "filter", placeholder: "Fault", "aria-label": "Fault" });
  fault.addEventListener("change", () => setQuery({ fault: fault.value.trim() }), { signal });
  jobId.addEventListener("change", () => setQuery({ jobId: jobId.value.trim() }), { signal });
  status.addEventListener("input", () => status.setCustomValidity(""), { signal });
  status.addEventListener(
    "change",
    () => {
      const wanted = status.value.trim();
      status.setCustomValidity(STATUS.test(wanted) ? "" : "A status of HTTP, like 404");
      if (status.reportValidity()) setQuery({ status: wanted });
    },
    { signal },
  );
  return {
    node: el("div", { class: "filters", role: "search" }, jobId, method, status, fault),
    show() {
      const { query } = here();
      method.value = query.get("method") ?? "";
      if (document.activeElement !== status) status.value = query.get("status") ?? "";
      if (document.activeElement !== fault) fault.value = query.get("fault") ?? "";
      if (document.activeElement !== jobId) jobId.value = query.get("jobId") ?? "";
    },
  };
}

/** @param {BriefEntry} entry */
function makeRow(entry) {
  const address = href(`journal/${entry.id}`, here().query);
  const row = el(
    "tr",
    { "data-row": true, tabindex: "-1" },
    el("td", { class: "quiet", title: `${localDate(entry.time)} (${entry.time})` }, localTime(entry.time)),
    el("td", {}, el("strong", {}, entry.method)),
    el("td", {}, el("a", { class: "clip mono", href: address, title: entry.path }, entry.path)),
    el("td", {}, stateBadge(entry.status < 400 ? "done" : "bad", String(entry.status))),
    el("td", { class: "number wide" }, `${entry.ms.toFixed(1)} ms`),
    el("td", {}, entry.fault && el("span", { class: "chip bad" }, entry.fault)),
    el("td", { class: "wide quiet clip" }, entry.namespace),
  );
  row.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("a")) return;
    if (getSelection()?.isCollapsed !== false) go(href(`journal/${entry.id}`, here().query));
  });
  return row;
}

function head() {
  const heads = [
    ["", "Time"],
    ["", "Method"],
    ["", "Path"],
    ["", "Status"],
    ["number wide", "Took"],
    ["", "Fault"],
    ["wide", "Namespace"],
  ];
  return el("thead", {}, el("tr", {}, heads.map(([name, text]) => el("th", { class: name || null, scope: "col" }, text))));
}

/** @param {() => void} reload */
function nothingYet(reload) {
  const run = () => attempt(() => asApp("GET", EXAMPLE), "The request is answered.").then(reload);
  return el(
    "div",
    { class: "panel" },
    emptyBox({
      title: "No requests yet",
      text: "Each request that your app sends stands here, with its answer. This sends one:",
      curl: curl("GET", EXAMPLE),
      run: { label: "Run it for me", act: run },
    }),
  );
}

function noMatch() {
  const clear = () => setQuery(Object.fromEntries(FILTERS.map((name) => [name, null])));
  return el(
    "div",
    { class: "panel" },
    emptyBox({ title: "No request matches", text: "The journal has none like that.", run: { label: "Show all requests", act: clear } }),
  );
}
