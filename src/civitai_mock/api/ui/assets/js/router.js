/**
 * Addresses: the path is the page and the thing, the query has the filters, so that any view can be sent to somebody.
 *
 * @module
 */

export const UI = new URL("../../", import.meta.url);
export const MOCK = new URL("../", UI);
export const ROOT = new URL("../", MOCK);
export const DEFAULT_NAMESPACE = "default";

/** @returns {string} the namespace that this tab looks at */
export function namespace() {
  return new URLSearchParams(location.search).get("namespace") || DEFAULT_NAMESPACE;
}

/**
 * Return the address of a page, in the namespace that is looked at.
 *
 * @param {string} path like `jobs` or `jobs/<id>`
 * @param {Record<string, string | null | undefined> | URLSearchParams} [query]
 * @returns {string}
 */
export function href(path, query = {}) {
  const url = new URL(path.split("/").map(encodeURIComponent).join("/"), UI);
  const given = query instanceof URLSearchParams ? [...query] : Object.entries(query);
  for (const [name, value] of given) if (value) url.searchParams.set(name, value);
  if (!url.searchParams.has("namespace") && namespace() !== DEFAULT_NAMESPACE) {
    url.searchParams.set("namespace", namespace());
  }
  return url.href;
}

/**
 * Return where a file of the server is for this browser, which may know it by another name than the server does.
 *
 * @param {string} url
 * @returns {string}
 */
export function fileUrl(url) {
  const found = /(\/ns\/[^/]+)?\/blobs\/.*$/.exec(url);
  return found ? new URL(found[0].slice(1), ROOT).href : url;
}

/** @typedef {{page: string, rest: string[], query: URLSearchParams}} Place */

/** @type {(place: Place) => void} */
let show = () => {};

/** @returns {Place} */
export function here() {
  const path = location.pathname.slice(UI.pathname.length).replace(/\/+$/, "");
  const [page = "", ...rest] = path.split("/").map(decoded);
  return { page: page || "queue", rest, query: new URLSearchParams(location.search) };
}

/**
 * Go to an address of the page.
 *
 * @param {string} address as `href` returns it
 * @param {{replaces?: boolean}} [how]
 */
export function go(address, { replaces = false } = {}) {
  if (address === location.href) return;
  if (replaces) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  show(here());
}

/**
 * Change the filters of this address; what is empty goes from it.
 *
 * @param {Record<string, string | null | undefined>} changes
 * @param {{replaces?: boolean}} [how]
 */
export function setQuery(changes, how = {}) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  go(url.href, how);
}

/**
 * Follow links and the history from now on.
 *
 * @param {(place: Place) => void} render
 */
export function start(render) {
  show = render;
  addEventListener("popstate", () => show(here()));
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.getAttribute("href")?.startsWith("#") || event.defaultPrevented || event.button !== 0 || link.target || link.hasAttribute("download")) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (!link.href.startsWith(UI.href) || link.href.startsWith(new URL("assets/", UI).href)) return;
    event.preventDefault();
    go(link.href);
  });
  show(here());
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // somebody typed a lone percent sign
  }
}
