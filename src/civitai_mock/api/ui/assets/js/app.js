/**
 * The page as a whole: its frame, and in it the page of the address.
 *
 * @module
 */
import { ApiError, change, LeftError, onTokenNeeded } from "./api.js";
import { el, fill, reveal, say } from "./el.js";
import { makeHeader } from "./header.js";
import { startKeys } from "./keys.js";
import { askForToken, copy, failed, toasts } from "./notices.js";
import { findPage, PAGES } from "./pages.js";
import { brokenBox } from "./part.js";
import { here, href, namespace, start as startRouter } from "./router.js";
import { start as startStore, watchAgain } from "./store.js";

/** @typedef {import("./router.js").Place} Place */

const FIRST = "queue"; // what most people see first; it needs the least
/** @type {Promise<void> | null} */
let styles = null;
const MOST_TOLD = 20;
const LONGEST = 4000;

/** @type {Set<string>} */
const told = new Set();

catchFailures();
onTokenNeeded(async () => {
  const given = await askForToken();
  if (given !== null) setTimeout(watchAgain);
  return given;
});

const heading = el("h1", { tabindex: "-1" });
const actions = el("div", { class: "actions" });
const curlButton = el("button", { type: "button", class: "small", on: { click: () => copyCurl() } }, "Copy as curl");
const body = el("div", { class: "page" });
const navigation = el("nav", { "aria-label": "Pages" });
const main = el("main", { id: "main" }, el("div", { class: "head" }, heading, actions, curlButton), body);

/** @type {{page: string, namespace: string, leave: AbortController, onPlace: ((place: Place) => void) | null}} */
let current = { page: "", namespace: "", leave: new AbortController(), onPlace: null };
/** @type {() => string} */
let command = () => "";
/** @type {AbortController} */
let headerEnds = new AbortController();

document.body.append(el("a", { class: "skip", href: "#main" }, "Skip to the content"), navigation, main, toasts);
startKeys(copyCurl);
startStore();
startRouter(show);

/** @param {Place} place */
function show(place) {
  const entry = findPage(place.page);
  if (entry && current.page === place.page && current.namespace === namespace() && current.onPlace) {
    current.onPlace(place);
    return;
  }
  const isFirst = current.page === "";
  if (isFirst || current.namespace !== namespace()) changeNamespace(isFirst);
  current.leave.abort();
  current = { page: place.page, namespace: namespace(), leave: new AbortController(), onPlace: null };
  command = () => "";
  fill(actions);
  fill(body);
  setTitle(entry?.title ?? "There is no such page");
  drawNavigation(place.page);
  if (entry) void open(entry, place, current);
  scrollTo(0, 0);
  if (!isFirst) heading.focus({ preventScroll: true });
}

/**
 * @param {import("./pages.js").PageEntry} entry
 * @param {Place} place
 * @param {typeof current} opened
 */
async function open(entry, place, opened) {
  const { signal } = opened.leave;
  try {
    const [module] = await Promise.all([entry.load(), entry.name === FIRST ? null : loadStyles()]);
    if (signal.aborted) return;
    curlButton.hidden = true;
    await module.open({
      node: body,
      actions,
      signal,
      place,
      setTitle,
      setCurl: (made) => {
        command = made;
        curlButton.hidden = false;
      },
      onPlace: (taken) => {
        opened.onPlace = taken;
      },
    });
  } catch (error) {
    if (signal.aborted) return;
    const again = () => (fill(body), fill(actions), open(entry, here(), opened));
    failed(error, { retry: again });
    fill(body, brokenBox(error, again));
  }
}

/** Load what the styles of other pages than the first are; it is done once. */
function loadStyles() {
  styles ??= new Promise((resolve, reject) => {
    const link = el("link", { rel: "stylesheet", href: new URL("../pages.css", import.meta.url).href });
    link.addEventListener("load", () => resolve(undefined));
    link.addEventListener("error", () => {
      styles = null;
      link.remove();
      reject(new Error("The styles of this page could not be loaded."));
    });
    document.head.append(link);
  });
  return styles;
}

/** @param {boolean} isFirst */
function changeNamespace(isFirst) {
  headerEnds.abort();
  headerEnds = new AbortController();
  const header = makeHeader(headerEnds.signal);
  if (isFirst) navigation.before(header);
  else {
    document.querySelector("header.top")?.replaceWith(header);
    watchAgain();
  }
}

/** @param {string} title */
function setTitle(title) {
  say(heading, title);
  document.title = `${title} · civitai-mock`;
}

/** @param {string} page */
function drawNavigation(page) {
  fill(
    navigation,
    PAGES.map(({ name, title }) => el("a", { href: href(name), "aria-current": name === page && "page" }, title)),
  );
  reveal(navigation, navigation.querySelector("[aria-current]"));
}

function copyCurl() {
  const text = command();
  if (text) void copy(text, "the command");
}

/** Begin to catch; called once, and first of all. */
function catchFailures() {
  addEventListener("error", (event) => {
    if (event.target !== window && event.target instanceof Element) return; // an image that is not there shows so itself
    caught("error", event.error ?? event.message);
  });
  addEventListener("unhandledrejection", (event) => caught("unhandledrejection", event.reason));
  document.addEventListener("securitypolicyviolation", (event) => {
    const text = `The page's policy refused ${event.blockedURI || "something"} (${event.effectiveDirective}).`;
    caught("securitypolicyviolation", new Error(`${text} ${event.sourceFile}:${event.lineNumber}`));
  });
}

/**
 * @param {string} kind
 * @param {unknown} error
 */
function caught(kind, error) {
  if (error instanceof LeftError) return;
  failed(error);
  if (error instanceof ApiError) return; // the server knows of it
  const message = String(error).slice(0, LONGEST);
  if (told.has(message) || told.size >= MOST_TOLD) return;
  told.add(message);
  const stack = error instanceof Error ? (error.stack ?? "").slice(0, LONGEST) : "";
  change("POST", "client-errors", { kind, message, stack, page: location.pathname }).catch(failed);
}
