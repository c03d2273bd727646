/**
 * The page of resources: the models that jobs may name, found by a part of what is known of them; add, change, delete.
 *
 * @module
 */
import { asApp, curl } from "../api.js";
import { download } from "../downloads.js";
import { el, fill, say } from "../el.js";
import { bytes, number } from "../format.js";
import { attempt, confirmed } from "../notices.js";
import { emptyBox, keep } from "../part.js";
import { readJson } from "../read-json.js";
import { go, here, href, setQuery } from "../router.js";

const PATH = "v2/resources";
const LIMIT = 50;
const TYPING_MS = 250;
const NEW = { air: "urn:air:sdxl:lora:civitai:1@2", modelName: "A model of mine" };

/** @typedef {{air: string, size: number, modelName?: string, versionName?: string, type?: string, canGenerate: boolean}} Resource */
/** @typedef {{page: number, limit: number, total: number, items: Resource[]}} Listing */

/** @param {import("../pages.js").Context} context */
export function open({ node, actions, signal, place, setTitle, setCurl, onPlace }) {
  const list = el("div", { class: "list page" });
  const detail = el("section", { class: "detail panel", "aria-label": "Resource" });
  const panes = el("div", { class: "panes page" }, list, detail);
  node.append(panes);
  actions.append(el("button", { type: "button", class: "small", on: { click: () => go(href("resources/new", here().query)) } }, "Add one"));
  const resources = openList(list, signal);
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
    setCurl(() => (air && air !== "new" ? curl("GET", `${PATH}/${encodeURIComponent(air)}`) : curl("GET", PATH, { query: { q: here().query.get("q") } })));
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
  const [back, on] = [pager("Before", -1), pager("More", 1)];
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
    typing = setTimeout(() => setQuery({ q: search.value.trim(), page: "" }, { replaces: true }), TYPING_MS);
  });
  const part = keep({
    signal,
    node: box,
    load: (ending) => asApp("GET", PATH, { signal: ending, query: { q: here().query.get("q"), page: here().query.get("page"), limit: LIMIT } }),
    show: (/** @type {Listing} */ found) => {
      const wanted = here().query.get("q") ?? "";
      if (found.total === 0) {
        fill(box, wanted ? el("p", { class: "state quiet" }, "No resource is like that.") : none());
        return;
      }
      if (table.parentElement !== box) fill(box, table, el("div", { class: "actions" }, count, back, on));
      const first = (found.page - 1) * found.limit;
      say(count, `${number(first + 1)} to ${number(first + found.items.length)} of ${number(found.total)}`);
      [back.disabled, on.disabled] = [found.page <= 1, first + found.items.length >= found.total];
      fill(body, found.items.map(row));
    },
    wants: (messages) => messages.some(({ type }) => type === "resync"),
  });

  /**
   * @param {string} label
   * @param {number} by
   */
  function pager(label, by) {
    return el("button", { type: "button", class: "small", on: { click: () => setQuery({ page: String(Number(here().query.get("page") ?? 1) + by) }) } }, label);
  }

  return {
    reload: part.reload,
    filter: async () => {
      const query = here().query;
      if (document.activeElement !== search) search.value = query.get("q") ?? "";
      const wanted = `${query.get("q")} ${query.get("page")}`;
      if (asked === wanted) return;
      asked = wanted;
      await part.reload();
    },
  };
}

/** @param {Resource} resource */
function row(resource) {
  const name = [resource.modelName, resource.versionName].filter(Boolean).join(" · ");
  return el(
    "tr",
    { "data-row": true },
    el("td", {}, el("a", { class: "mono clip", href: href(`resources/${resource.air}`, here().query) }, resource.air)),
    el("td", {}, el("span", { class: "clip", title: name }, name)),
    el("td", { class: "number" }, bytes(resource.size)),
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
  fill(node);
  keep({
    signal,
    node,
    load: (ending) => asApp("GET", path, { signal: ending }),
    show: (found) => fill(node, editor(found, "PUT", path, reload)),
    wants: () => false,
  });
}

/**
 * @param {{air: string}} resource
 * @param {"POST" | "PUT"} method
 * @param {string} path
 * @param {() => Promise<void>} reload
 */
function editor(resource, method, path, reload) {
  const text = el("textarea", { rows: "18", class: "mono", spellcheck: "false", "aria-label": "The resource as JSON" });
  text.value = JSON.stringify(resource, null, 2);
  const close = () => go(href("resources", here().query));
  const save = async () => {
    const body = readJson(text.value, "The resource is not JSON");
    if (body === undefined) return;
    const saved = await attempt(() => asApp(method, path, { body }).then(() => true), "The resource is saved.");
    if (!saved) return;
    await reload();
    if (method === "POST") go(href(`resources/${body.air}`, here().query));
  };
  const remove = async () => {
    const about = { title: "Delete this resource?", text: `Jobs that name ${resource.air} are refused then, unless missing ones are made up.`, label: "Delete it" };
    if (!(await confirmed(about))) return;
    if (await attempt(() => asApp("DELETE", path).then(() => true), "The resource is deleted.")) {
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
      curl: curl("POST", PATH, { body: NEW }),
      run: { label: "Add it for me", act: () => attempt(() => asApp("POST", PATH, { body: NEW }), "The resource is added.") },
    }),
  );
}
