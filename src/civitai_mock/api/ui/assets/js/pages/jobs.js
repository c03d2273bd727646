/**
 * The page of all jobs, the youngest first, and beside them, or in their place on a small screen, the one that is chosen.
 *
 * @module
 */
import { curl, get } from "../api.js";
import { el, fill, keyed, say } from "../el.js";
import { remoteImage } from "../elements/remote-image.js";
import { timeAgo } from "../elements/time-ago.js";
import { badge, duration, hasEnded, number, shortId } from "../format.js";
import { isFarDown, makeFresh } from "../fresh.js";
import { openJob } from "../job/detail.js";
import { cancelJob, submitExample } from "../job/orders.js";
import { attempt, confirmed } from "../notices.js";
import { emptyBox, explain, keep } from "../part.js";
import { go, here, href, setQuery } from "../router.js";

const TAKE = 50;
const TYPING_MS = 250;
const STATUSES = [
  ["", "any status"],
  ["Initialized", "Waiting"],
  ["Claimed", "Claimed"],
  ["Updated", "Running"],
  ["Succeeded", "Succeeded"],
  ["Failed", "Failed"],
  ["Expired", "Expired"],
  ["Deleted", "Cancelled"],
  ["Rejected", "Rejected"],
  ["LateRejected", "Rejected late"],
  ["ClaimExpired", "Claim expired"],
];

const SINCE = [
  ["", "any age"],
  ["1m", "last minute"],
  ["15m", "last 15 minutes"],
  ["1h", "last hour"],
  ["24h", "last day"],
];
const FILTERS = [
  ["type", "Type"],
  ["ecosystem", "Ecosystem"],
  ["provider", "Provider"],
  ["fault", "Fault"],
];

/** @typedef {{jobId: string, status: string, type: string, createdAt: string, changedAt: string, retryAttempt: number, blobKey?: string, prompt?: string, model?: string}} Item */
/** @typedef {{items: Item[], next?: string, counted: {count: number, exact: boolean}}} Listing */
/** @typedef {import("../pages.js").Context} Context */

/** @param {Context} context */
export function open({ node, actions, signal, place, setTitle, setCurl, onPlace }) {
  const list = el("div", { class: "list page" });
  const detail = el("section", { class: "detail panel", "aria-label": "Job" });
  const panes = el("div", { class: "panes page" }, list, detail);
  node.append(panes);
  const jobs = openList({ list, actions, signal });
  let leave = new AbortController();
  signal.addEventListener("abort", () => leave.abort());

  /** @param {import("../router.js").Place} to */
  function show(to) {
    const [id] = to.rest;
    leave.abort();
    leave = new AbortController();
    panes.classList.toggle("open", Boolean(id));
    detail.hidden = !id;
    jobs.choose(id ?? "");
    if (id) {
      setCurl(() => curl("GET", `_mock/jobs/${encodeURIComponent(id)}`));
      setTitle(`Job ${shortId(id)}`);
      openJob({ node: detail, id, signal: leave.signal });
    } else {
      fill(detail);
      setCurl(() => curl("GET", "_mock/jobs", { query: jobs.query() }));
      setTitle("Jobs");
    }
    jobs.reload();
  }
  onPlace(show);
  show(place);
}

/**
 * Keep the list as the server has it; its filters are those of the address.
 *
 * @param {{list: HTMLElement, actions: HTMLElement, signal: AbortSignal}} context
 */
function openList({ list, actions, signal }) {
  /** @type {Set<string>} */
  const selected = new Set();
  /** @type {string[]} */
  let cursors = [""]; // of the pages up to this one
  /** @type {Listing} */
  let listing = { items: [], counted: { count: 0, exact: true } };
  let chosen = "";
  let asked = "";

  const search = el("input", {
    type: "search",
    "data-search": true,
    placeholder: "Search id, prompt, model …",
    "aria-label": "Search jobs",
  });
  let typing = 0;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => setQuery({ q: search.value }, { replaces: true }), TYPING_MS);
  });
  const status = el(
    "select",
    { "aria-label": "Status", on: { change: () => setQuery({ status: status.value }) } },
    STATUSES.map(([value, text]) => el("option", { value }, text)),
  );
  const since = el(
    "select",
    { "aria-label": "Since", on: { change: () => setQuery({ since: since.value }) } },
    SINCE.map(([value, text]) => el("option", { value }, text)),
  );
  const others = FILTERS.map(([name, label]) => {
    const input = el("input", { type: "text", placeholder: label, "aria-label": label, class: "filter" });
    input.addEventListener("change", () => setQuery({ [name]: input.value.trim() }));
    return { name, input };
  });
  const fresh = makeFresh(showFresh);
  const cancel = el("button", { type: "button", class: "danger small", hidden: true, on: { click: cancelSelected } });
  const body = el("tbody");
  const table = el(
    "div",
    { class: "panel scroll" },
    el("table", { class: "jobs" }, el("caption", { class: "offscreen" }, "Jobs, the youngest first"), head(), body),
  );
  const newer = el("button", { type: "button", class: "small", on: { click: () => turn(-1) } }, "Newer");
  const older = el("button", { type: "button", class: "small", on: { click: () => turn(1) } }, "Older");
  const count = el("p", { class: "quiet spring", role: "status" });
  const foot = el("div", { class: "filters" }, count, newer, older);
  const place = el("div", { class: "page" });
  actions.append(fresh.node, cancel);
  list.append(el("div", { class: "filters", role: "search" }, search, status, since, others.map(({ input }) => input)), place, foot);

  const part = keep({
    signal,
    node: place,
    load: async (ending) => {
      const [found, counted] = await Promise.all([
        get("jobs", { signal: ending, query: { ...query(), take: TAKE, cursor: cursors.at(-1) } }),
        get("jobs/count", { signal: ending, query: query() }),
      ]);
      return { ...found, counted };
    },
    show: (/** @type {Listing} */ found) => {
      const isOther = asked !== location.search + cursors.at(-1);
      asked = location.search + cursors.at(-1);
      if (!isOther && isReading()) showLater(found);
      else draw(found);
    },
    wants: (messages) => messages.some((message) => message.type === "job"),
  });

  function query() {
    const filters = here().query;
    return Object.fromEntries(["status", "q", "since", ...FILTERS.map(([name]) => name)].map((name) => [name, filters.get(name)]));
  }

  /** Say whether new rows would move what somebody reads or has selected. */
  function isReading() {
    return cursors.length === 1 && listing.items.length > 0 && (isFarDown() || selected.size > 0);
  }

  /** @param {Listing} found */
  function showLater(found) {
    const now = new Map(found.items.map((item) => [item.jobId, item]));
    fresh.tell([...now.keys()], listing.items.map((item) => item.jobId), TAKE);
    listing = { ...listing, items: listing.items.map((item) => now.get(item.jobId) ?? item) };
    drawRows();
  }

  function showFresh() {
    clearSelection();
    asked = "";
    void part.reload();
  }

  /** @param {Listing} found */
  function draw(found) {
    listing = found;
    fresh.hide();
    const isFiltered = Object.values(query()).some(Boolean);
    const isEmpty = found.items.length === 0 && cursors.length === 1 && !found.next;
    if (isEmpty && isFiltered) explain(place, "filtered", noMatch);
    else if (isEmpty) explain(place, "empty", nothingYet);
    else if (table.parentElement !== place) fill(place, table); // one that stays keeps its focus and its pictures
    drawRows();
    newer.hidden = cursors.length === 1;
    older.hidden = !found.next;
    foot.hidden = isEmpty;
    const first = (cursors.length - 1) * TAKE;
    const all = `${number(found.counted.count)}${found.counted.exact ? "" : "+"}`;
    say(count, found.items.length ? `${first + 1} to ${first + found.items.length} of ${all}` : `None here, of ${all}`);
  }

  function drawRows() {
    keyed(body, listing.items, { key: (item) => item.jobId, make: makeRow, update: (row, item) => updateRow(row, item) });
    for (const row of body.rows) row.toggleAttribute("aria-current", false);
    const row = [...body.rows].find((one) => one.dataset.key === chosen);
    row?.setAttribute("aria-current", "true");
    cancel.hidden = selected.size === 0;
    say(cancel, `Cancel ${selected.size}`);
  }

  /** @param {Item} item */
  function makeRow(item) {
    const box = el("input", { type: "checkbox", "aria-label": `Select job ${shortId(item.jobId)}` });
    box.addEventListener("change", () => {
      if (box.checked) selected.add(item.jobId);
      else selected.delete(item.jobId);
      row.setAttribute("aria-selected", String(box.checked));
      drawRows();
    });
    const row = el("tr", { "data-row": true, tabindex: "-1" }, el("td", { class: "pick" }, box));
    row.addEventListener("click", (event) => {
      if (event.target instanceof Element && event.target.closest("a, input, button")) return;
      if (getSelection()?.isCollapsed === false) return; // somebody marks a text
      go(addressOf(item.jobId));
    });
    row.append(el("td"), el("td"), el("td", { class: "wide" }), el("td"), el("td", { class: "wide" }), el("td", { class: "number" }), el("td", { class: "number wide" }));
    updateRow(row, item);
    return row;
  }

  /**
   * @param {HTMLElement} row
   * @param {Item} item
   */
  function updateRow(row, item) {
    const version = `${item.status} ${item.changedAt} ${item.retryAttempt}`;
    if (row.dataset.version === version) return;
    const isNew = row.dataset.version === undefined;
    row.dataset.version = version;
    const [, state, id, thumb, what, type, age, lasted] = row.children;
    const tries = item.retryAttempt ? `, attempt ${item.retryAttempt + 1}` : "";
    fill(state, badge(item.status), tries && el("span", { class: "quiet small" }, tries));
    fill(lasted, hasEnded(item.status) ? duration(Date.parse(item.changedAt) - Date.parse(item.createdAt)) : "");
    if (item.blobKey && !thumb.hasChildNodes() && /image/i.test(item.type)) {
      fill(thumb, remoteImage(`blobs/${encodeURIComponent(item.blobKey)}`, "", { class: "thumb" }));
    }
    if (!isNew) return;
    fill(id, el("a", { class: "mono", href: addressOf(item.jobId), title: item.jobId }, shortId(item.jobId)));
    fill(
      what,
      el("span", { class: "clip", title: item.prompt?.slice(0, 1000) }, item.prompt?.slice(0, 300) ?? ""),
      el("span", { class: "clip quiet small" }, item.model ?? ""),
    );
    fill(type, el("span", { class: "clip", title: item.type }, item.type));
    fill(age, timeAgo(item.createdAt, { words: false }));
  }

  /** @param {1 | -1} step */
  function turn(step) {
    if (step > 0 && listing.next) cursors = [...cursors, listing.next];
    else cursors = cursors.slice(0, Math.max(1, cursors.length - 1));
    clearSelection();
    scrollTo({ top: 0 });
    void part.reload();
  }

  function clearSelection() {
    selected.clear();
    for (const box of body.querySelectorAll("input")) box.checked = false;
    for (const row of body.rows) row.removeAttribute("aria-selected");
    cancel.hidden = true;
  }

  async function cancelSelected() {
    const ids = [...selected];
    const what = `${ids.length} ${ids.length === 1 ? "job" : "jobs"}`;
    if (!(await confirmed({ title: `Cancel ${what}?`, text: "Those that have ended stay as they are.", label: `Cancel ${what}` }))) return;
    const done = await attempt(async () => {
      for (const id of ids) await cancelJob(id);
      return true;
    }, `${what} cancelled.`);
    if (done) clearSelection();
    void part.reload();
  }

  let filters = location.search;
  return {
    query,
    reload() {
      search.value = document.activeElement === search ? search.value : (here().query.get("q") ?? "");
      status.value = here().query.get("status") ?? "";
      since.value = here().query.get("since") ?? "";
      for (const { name, input } of others) if (document.activeElement !== input) input.value = here().query.get(name) ?? "";
      if (filters !== location.search) cursors = [""];
      filters = location.search;
      void part.reload();
    },
    /** @param {string} id */
    choose(id) {
      chosen = id;
      drawRows();
    },
  };
}

/** @param {string} id */
function addressOf(id) {
  const { query } = here();
  query.delete("tab");
  return href(`jobs/${id}`, query);
}

function head() {
  const heads = [
    ["pick", "", "Select"],
    ["status", "State"],
    ["id", "Job"],
    ["thumbs wide", "", "Picture"],
    ["what", "Prompt"],
    ["type wide", "Type"],
    ["number age", "Age"],
    ["number lasted wide", "Lasted"],
  ];
  return el(
    "thead",
    {},
    el("tr", {}, heads.map(([name, text, said]) => el("th", { class: name, scope: "col" }, text || el("span", { class: "offscreen" }, said)))),
  );
}

function noMatch() {
  const clear = () => setQuery({ q: null, status: null, since: null, ...Object.fromEntries(FILTERS.map(([name]) => [name, null])) });
  return el(
    "div",
    { class: "panel" },
    emptyBox({ title: "No job matches", text: "Jobs of this namespace are there, but none like that.", run: { label: "Show all jobs", act: clear } }),
  );
}

function nothingYet() {
  const example = submitExample();
  return el(
    "div",
    { class: "panel" },
    emptyBox({
      title: "No jobs yet",
      text: "Whatever your app submits stands here, the youngest first. This submits one:",
      curl: example.curl,
      run: { label: "Run it for me", act: example.run },
    }),
  );
}
