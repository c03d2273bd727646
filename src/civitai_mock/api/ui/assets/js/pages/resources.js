/**
 * The page of resources: the models that jobs may name, found by a part of what is known of them; add, change, delete.
 *
 * @module
 */
import { change, curl, get } from "../api.js";
import { download } from "../downloads.js";
import { el, fill, keyed, say } from "../el.js";
import { bytes, number } from "../format.js";
import { attempt, confirmed } from "../notices.js";
import { emptyBox, explain, keep } from "../part.js";
import { readJson } from "../read-json.js";
import { openHolders } from "../resources/holders.js";
import { transferButtons } from "../resources/transfer.js";
import { go, here, href, setQuery } from "../router.js";

const PATH = "resources"; // of the control plane: who looks here is not in the journal, and meets no fault
const TAKE = 50;
const TYPING_MS = 250;
const NEW = { air: "urn:air:sdxl:lora:civitai:1@2", modelName: "A model of mine" };

/** @typedef {{air: string, size: number, modelName?: string, versionName?: string, type?: string, canGenerate: boolean}} Resource */
/** @typedef {{first: number, total: number, next?: string, items: Resource[]}} Listing */

/** @param {import("../pages.js").Context} context */
export function open({ node, actions, signal, place, setTitle, setCurl, onPlace }) {
  const list = el("div", { class: "list page" });
  const detail = el("section", { class: "detail panel", "aria-label": "Resource" });
  const panes = el("div", { class: "panes page" }, list, detail);
  node.append(panes);
  const resources = openList(list, signal);
  const add = el("button", { type: "button", class: "small", on: { click: () => go(href("resources/new", here().query)) } }, "Add one");
  actions.append(add, ...transferButtons(resources.reload));
  let leave = new AbortController();
  signal.addEventListener("abort", () => leave.abort());

  /** @param {import("../router.js").Place} next */
  function show(next) {
    leave.abort();
    leave = new AbortController();
    const air = next.rest[0] ?? "";
    panes.classList.toggle("open", air !== "");
    detail.hidden = air === "";
    setTitle(air === "new" ? "New resource" : air || "Resources");
    setCurl(() => (air && air !== "new" ? curl("GET", `_mock/${PATH}/${encodeURIComponent(air)}`) : curl("GET", `_mock/${PATH}`, { query: { q: here().query.get("q") } })));
    if (air === "new") fill(detail, editor(NEW, "POST", PATH, resources.reload));
    else if (air) openResource(detail, air, leave.signal, resources.reload);
    void resources.filter();
  }
  onPlace(show);
  show(place);
}

/**
 * @param {HTMLElement} list
 * @param {AbortSignal} signal
 */
function openList(list, signal) {
  const search = el("input", { type: "search", placeholder: "Search AIR, name, tag …", "aria-label": "Search resources", "data-search": true });
  const body = el("tbody");
  const count = el("p", { class: "quiet", role: "status" });
  let next = "";
  const pager = (/** @type {string} */ label, /** @type {() => string} */ cursor) =>
    el("button", { type: "button", class: "small", on: { click: () => setQuery({ cursor: cursor() }) } }, label);
  const [back, on] = [pager("From the start", () => ""), pager("More", () => next)];
  const table = el(
    "section",
    { class: "panel", "aria-label": "Resources" },
    el("div", { class: "scroll" }, el("table", { class: "resources" }, el("thead", {}, el("tr", {}, ["AIR", "Name", "Size"].map((text) => el("th", { scope: "col", class: text === "Size" && "number" }, text)))), body)),
  );
  const box = el("div", { class: "page" });
  list.append(el("div", { class: "filters" }, search), box);
  let asked = "";
  let typing = 0;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => setQuery({ q: search.value.trim(), cursor: "" }, { replaces: true }), TYPING_MS);
  });
  const part = keep({
    signal,
    node: box,
    load: (ending) => get(PATH, { signal: ending, query: { q: here().query.get("q"), cursor: here().query.get("cursor"), take: TAKE } }),
    show: (/** @type {Listing} */ found) => {
      const wanted = here().query.get("q") ?? "";
      if (found.total === 0) {
        if (wanted) explain(box, "filtered", () => el("p", { class: "state quiet" }, "No resource is like that."));
        else explain(box, "empty", none);
        return;
      }
      if (table.parentElement !== box) fill(box, table, el("div", { class: "actions" }, count, back, on));
      say(count, `${number(found.first)} to ${number(found.first + found.items.length - 1)} of ${number(found.total)}`);
      next = found.next ?? "";
      [back.hidden, on.hidden] = [found.first <= 1, !next];
      keyed(body, found.items, { key: (item) => `${item.air} ${nameOf(item)} ${item.size}`, make: row });
    },
    wants: () => false,
  });

  return {
    reload: part.reload,
    filter: async () => {
      const query = here().query;
      if (document.activeElement !== search) search.value = query.get("q") ?? "";
      const wanted = `${query.get("q")} ${query.get("cursor")}`;
      if (asked === wanted) return;
      asked = wanted;
      await part.reload();
    },
  };
}

/** @param {Resource} resource */
function nameOf({ modelName, versionName }) {
  return [modelName, versionName].filter(Boolean).join(" · ");
}

/** @param {Resource} resource */
function row(resource) {
  const name = nameOf(resource);
  return el(
    "tr",
    { "data-row": true, tabindex: "-1" },
    el("td", {}, el("a", { class: "mono clip", href: href(`resources/${resource.air}`, here().query) }, resource.air)),
    el("td", {}, el("span", { class: "clip", title: name }, name)),
    el("td", { class: "number" }, resource.size ? bytes(resource.size) : "–"),
  );
}

/**
 * @param {HTMLElement} node
 * @param {string} air
 * @param {AbortSignal} signal
 * @param {() => Promise<void>} reload
 */
function openResource(node, air, signal, reload) {
  const path = `${PATH}/${encodeURIComponent(air)}`;
  const place = el("div", { class: "body page" });
  /** @type {ReturnType<typeof openHolders> | undefined} */
  let holders;
  fill(node, place);
  keep({
    signal,
    node: place,
    load: (ending) => get(path, { signal: ending }),
    show: (found) => {
      const { node: files, reload: again } = (holders ??= openHolders(air, signal));
      fill(place, editor(found, "PUT", path, () => Promise.all([reload(), again()])), files);
    },
    wants: () => false,
    isStill: true,
  });
}

/**
 * @param {{air: string}} resource
 * @param {"POST" | "PUT"} method
 * @param {string} path
 * @param {() => Promise<unknown>} reload
 */
function editor(resource, method, path, reload) {
  const text = el("textarea", { rows: "18", class: "mono", spellcheck: "false", "aria-label": "The resource as JSON" });
  text.value = JSON.stringify(resource, null, 2);
  const close = () => go(href("resources", here().query));
  const save = async () => {
    const body = readJson(text.value, "The resource is not JSON");
    if (body === undefined) return;
    const saved = await attempt(() => change(method, path, body).then(() => true), "The resource is saved.");
    if (!saved) return;
    await reload();
    if (method === "POST") go(href(`resources/${body.air}`, here().query));
  };
  const remove = async () => {
    const about = { title: "Delete this resource?", text: `Jobs that name ${resource.air} are refused then, unless missing ones are made up.`, label: "Delete it" };
    if (!(await confirmed(about))) return;
    if (await attempt(() => change("DELETE", path).then(() => true), "The resource is deleted.")) {
      close();
      await reload();
    }
  };
  return el(
    "div",
    { class: "body page" },
    text,
    el(
      "div",
      { class: "actions" },
      el("button", { type: "button", class: "primary", on: { click: () => void save() } }, method === "POST" ? "Add it" : "Save"),
      method === "PUT" && el("button", { type: "button", on: { click: () => download("resource.json", text.value, "application/json") } }, "Download JSON"),
      method === "PUT" && el("button", { type: "button", class: "danger", on: { click: () => void remove() } }, "Delete …"),
      el("span", { class: "spring" }),
      el("button", { type: "button", on: { click: close } }, "Close"),
    ),
  );
}

function none() {
  return el(
    "div",
    { class: "panel" },
    emptyBox({
      title: "No resource is known",
      text: "Jobs name models by their AIR, and each has to be known here. This adds one:",
      curl: curl("POST", `_mock/${PATH}`, { body: NEW }),
      run: { label: "Add it for me", act: () => attempt(() => change("POST", PATH, NEW), "The resource is added.") },
    }),
  );
}
