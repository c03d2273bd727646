/**
 * The page of the pictures that were made, the youngest first; the one that is chosen is shown whole, with what made it.
 *
 * @module
 */
import { curl, get, send } from "../api.js";
import { download } from "../downloads.js";
import { el, fill, keyed } from "../el.js";
import { remoteImage } from "../elements/remote-image.js";
import { timeAgo } from "../elements/time-ago.js";
import { bytes, shortId } from "../format.js";
import { isFarDown, makeFresh } from "../fresh.js";
import { submitExample } from "../job/orders.js";
import { attempt, copyButton } from "../notices.js";
import { emptyBox, explain, keep } from "../part.js";
import { go, here, href, MOCK, setQuery } from "../router.js";
import { pngTexts } from "../png-texts.js";

const TAKE = 40;
const MOST = 200; // in the page at once
const TYPING_MS = 250;
const MATURE = new Set(["r", "x", "xxx"]);

/** @typedef {{blobKey: string, jobId: string, index: number, madeAt: string, contentType: string, nsfwLevel: string, seed?: number, prompt?: string, model?: string, width?: number, height?: number}} Picture */

/** @param {import("../pages.js").Context} context */
export function open({ node, actions, signal, place, setTitle, setCurl, onPlace }) {
  const list = el("div", { class: "list page" });
  const detail = el("section", { class: "detail panel", "aria-label": "Picture" });
  const panes = el("div", { class: "panes page" }, list, detail);
  node.append(panes);
  const grid = openGrid({ list, actions, signal });
  let leave = new AbortController();
  signal.addEventListener("abort", () => leave.abort());

  /** @param {import("../router.js").Place} next */
  function show(next) {
    leave.abort();
    leave = new AbortController();
    const key = next.rest[0] ?? "";
    panes.classList.toggle("open", key !== "");
    detail.hidden = key === "";
    grid.choose(key);
    setCurl(() => curl("GET", key ? `_mock/blobs/${encodeURIComponent(key)}` : "_mock/images", { query: key ? {} : filters() }));
    setTitle(key ? `Picture ${key.slice(0, 8)}` : "Pictures");
    if (key) openPicture(detail, key, grid.find, leave.signal);
    void grid.filter();
  }
  onPlace(show);
  show(place);
}

/** @returns {Record<string, string>} */
function filters() {
  const query = here().query;
  return { q: query.get("q") ?? "", seed: query.get("seed") ?? "" };
}

/** @param {{list: HTMLElement, actions: HTMLElement, signal: AbortSignal}} context */
function openGrid({ list, actions, signal }) {
  const search = el("input", { type: "search", placeholder: "Search prompt, model …", "aria-label": "Search", "data-search": true });
  const seed = el("input", { type: "search", inputmode: "numeric", placeholder: "Seed", "aria-label": "Seed" });
  const pictures = el("div", { class: "pictures grid", role: "list" });
  const more = el("button", { type: "button", on: { click: () => void older() } }, "Older pictures");
  const fresh = makeFresh(showFresh);
  actions.append(fresh.node);
  const box = el("div", { class: "page" });
  list.append(el("div", { class: "filters" }, search, seed), box);
  /** @type {Picture[]} */
  let shown = [];
  /** @type {string | undefined} */
  let next;
  let [chosen, asked] = ["", ""];
  let typing = 0;
  for (const [input, name] of /** @type {const} */ ([
    [search, "q"],
    [seed, "seed"],
  ])) {
    input.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => setQuery({ [name]: input.value.trim() }, { replaces: true }), TYPING_MS);
    });
  }

  const part = keep({
    signal,
    node: box,
    load: (ending) => get("images", { signal: ending, query: { ...filters(), take: TAKE } }),
    show: (/** @type {{items: Picture[], next?: string}} */ found) => {
      if (isReading() && showLater(found.items)) return;
      fresh.hide();
      const known = new Set(found.items.map(name));
      const last = found.items.at(-1);
      const rest = last ? shown.slice(shown.findIndex((picture) => name(picture) === name(last)) + 1) : [];
      const goesOn = next !== undefined && rest.length > 0;
      shown = [...found.items, ...(goesOn ? rest.filter((picture) => !known.has(name(picture))) : [])].slice(0, MOST);
      if (!goesOn) next = found.next;
      draw();
    },
    wants: (messages) => messages.some(({ type }) => type === "generation_complete"),
  });

  /** Say whether new pictures would move what somebody looks at. */
  function isReading() {
    return isFarDown() && shown.length > 0;
  }

  /**
   * Say how many new ones there are; return false if there are none.
   *
   * @param {Picture[]} items
   */
  function showLater(items) {
    return fresh.tell(items.map(name), shown.map(name), TAKE) > 0;
  }

  function showFresh() {
    void part.reload();
  }

  async function older() {
    const found = await attempt(() => get("images", { signal, query: { ...filters(), take: TAKE, cursor: next } }));
    if (!found) return;
    shown = [...shown, ...found.items].slice(-MOST);
    next = found.next;
    draw();
  }

  function draw() {
    const isFiltered = Object.values(filters()).some(Boolean);
    if (shown.length === 0 && isFiltered) explain(box, "filtered", () => el("p", { class: "state quiet" }, "No picture is like that."));
    else if (shown.length === 0) explain(box, "empty", nothing);
    else if (pictures.parentElement !== box) fill(box, pictures, el("div", { class: "actions" }, more));
    keyed(pictures, shown, { key: name, make: tile });
    more.hidden = next === undefined;
    mark();
  }

  function mark() {
    for (const child of pictures.children) {
      const isChosen = child instanceof HTMLElement && child.dataset.key === chosen;
      child.toggleAttribute("data-chosen", isChosen);
    }
  }

  return {
    find: (/** @type {string} */ key) => shown.find((picture) => picture.blobKey === key),
    choose: (/** @type {string} */ key) => {
      chosen = key;
      mark();
    },
    filter: async () => {
      const wanted = filters();
      if (document.activeElement !== search) search.value = wanted.q ?? "";
      if (document.activeElement !== seed) seed.value = wanted.seed ?? "";
      if (asked === JSON.stringify(wanted)) return;
      asked = JSON.stringify(wanted);
      [shown, next] = [[], undefined];
      await part.reload();
    },
  };
}

/** @param {Picture} picture */
function name(picture) {
  return picture.blobKey;
}

/** @param {Picture} picture */
function tile(picture) {
  const about = picture.prompt ?? "a picture";
  return el(
    "figure",
    { role: "listitem", "data-row": true, tabindex: "-1" },
    el(
      "a",
      { href: href(`pictures/${picture.blobKey}`, here().query), "aria-label": about.slice(0, 200) },
      veiled(picture),
    ),
    el("figcaption", { class: "small" }, el("span", { class: "clip" }, about), timeAgo(picture.madeAt)),
  );
}

/**
 * Show a picture, behind a veil if it is mature: it is seen by who asks.
 *
 * @param {Picture} picture
 */
function veiled(picture) {
  const shown = remoteImage(`blobs/${encodeURIComponent(picture.blobKey)}`, (picture.prompt ?? "a picture").slice(0, 1000));
  if (!MATURE.has(picture.nsfwLevel)) return shown;
  const veil = el("div", { class: "veil" }, shown);
  const button = el("button", { type: "button", class: "small" }, `Show (${picture.nsfwLevel})`);
  button.addEventListener("click", (event) => {
    event.preventDefault();
    event.stopPropagation();
    veil.replaceWith(shown);
  });
  veil.append(button);
  return veil;
}

/**
 * @param {HTMLElement} node
 * @param {string} key
 * @param {(key: string) => Picture | undefined} find
 * @param {AbortSignal} signal
 */
function openPicture(node, key, find, signal) {
  const body = el("div", { class: "body page" });
  fill(node, body);
  keep({
    signal,
    node: body,
    load: async (ending) => {
      const answer = await send("GET", new URL(`blobs/${encodeURIComponent(key)}`, MOCK), { signal: ending });
      const known = find(key) ?? (await findPicture(key, ending));
      const [type, etag] = [answer.headers.get("content-type") ?? "", answer.headers.get("etag")];
      return { content: await answer.arrayBuffer(), type, etag, known };
    },
    show: ({ content, type, known }) => {
      const picture = known ?? { blobKey: key, jobId: "", index: 0, madeAt: "", contentType: type, nsfwLevel: "pg" };
      fill(body, veiled(picture), buttons(picture, content, type), facts(picture, content, type), texts(content));
    },
    wants: () => false,
    isStill: true,
  });
}

/**
 * @param {string} key
 * @param {AbortSignal} signal
 * @returns {Promise<Picture | undefined>}
 */
async function findPicture(key, signal) {
  const found = await get("images", { signal, query: { take: MOST } });
  return found.items.find((/** @type {Picture} */ picture) => picture.blobKey === key);
}

/**
 * @param {Picture} picture
 * @param {ArrayBuffer} content
 * @param {string} type
 */
function buttons(picture, content, type) {
  const ending = type.split("/")[1]?.split(";")[0] ?? "bin";
  return el(
    "div",
    { class: "actions" },
    el("button", { type: "button", class: "small", on: { click: () => go(href("pictures", here().query)) } }, "Close"),
    el(
      "button",
      { type: "button", class: "small", on: { click: () => download(`${picture.blobKey.slice(0, 16)}.${ending}`, content, type) } },
      "Download",
    ),
    copyButton("Copy the key, to use as sourceImage", () => picture.blobKey, "the key"),
    picture.seed !== undefined &&
      el("a", { class: "button small", href: href("pictures", { seed: String(picture.seed) }) }, "Find by seed"),
    picture.jobId && el("a", { class: "button small", href: href(`jobs/${picture.jobId}`) }, `Job ${shortId(picture.jobId)}`),
  );
}

/**
 * @param {Picture} picture
 * @param {ArrayBuffer} content
 * @param {string} type
 */
function facts(picture, content, type) {
  const size = picture.width && picture.height ? `${picture.width} × ${picture.height}, ` : "";
  const rows = /** @type {[string, string | number | HTMLElement | undefined][]} */ ([
    ["Prompt", picture.prompt],
    ["Seed", picture.seed],
    ["Model", picture.model],
    ["File", `${size}${bytes(content.byteLength)}, ${type}`],
    ["Maturity", picture.nsfwLevel],
    ["Made", picture.madeAt ? timeAgo(picture.madeAt) : undefined],
  ]);
  return el(
    "dl",
    { class: "facts" },
    rows.filter(([, value]) => value !== undefined).map(([label, value]) => [el("dt", {}, label), el("dd", {}, value)]).flat(),
  );
}

/** @param {ArrayBuffer} content */
function texts(content) {
  const found = pngTexts(content);
  return el(
    "div",
    { class: "page" },
    found.map(({ keyword, text }) => el("details", { class: "entry" }, el("summary", {}, `In the file: ${keyword}`), el("pre", { tabindex: "0" }, text))),
  );
}

function nothing() {
  const example = submitExample();
  return el(
    "div",
    { class: "panel" },
    emptyBox({
      title: "No picture was made yet",
      text: "Pictures stand here as soon as a job has made some. This submits one:",
      curl: example.curl,
      run: { label: "Run it for me", act: example.run },
    }),
  );
}
