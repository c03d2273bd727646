/**
 * The page of the settings in effect, and of what can be done with a whole namespace: save it, restore it, begin anew.
 *
 * @module
 */
import { asApp, change, curl, get, listed, send } from "../api.js";
import { downloadBlob } from "../downloads.js";
import { el, fill, say } from "../el.js";
import { attempt, confirmed } from "../notices.js";
import { keep } from "../part.js";
import { MOCK, namespace } from "../router.js";
import { refreshAll } from "../store.js";

const ZIP = "application/zip";
/** @type {Record<string, string>} */
const ORIGINS = { default: "as delivered", env: "environment", file: "file", api: "set here" };

/** @typedef {{name: string, value: unknown, origin: string}} Setting */

/** @param {import("../pages.js").Context} context */
export function open({ node, signal, setCurl }) {
  setCurl(() => curl("GET", "_mock/settings"));
  const search = el("input", { type: "search", placeholder: "Search settings", "aria-label": "Search settings", "data-search": true });
  const changed = el("input", { type: "checkbox", id: "only-changed" });
  const body = el("tbody");
  const count = el("span", { class: "quiet" });
  const place = el("div");
  const table = el(
    "div",
    { class: "scroll" },
    el(
      "table",
      { class: "settings" },
      el("thead", {}, el("tr", {}, ["Setting", "Value", "From"].map((text) => el("th", { scope: "col" }, text)))),
      body,
    ),
  );
  /** @type {Setting[]} */
  let settings = [];
  search.addEventListener("input", draw);
  changed.addEventListener("change", draw);
  node.append(
    whole(signal),
    about(signal),
    el(
      "section",
      { class: "panel", "aria-label": "Settings" },
      el("div", { class: "title" }, el("h2", {}, "Settings in effect"), count, search, el("label", { class: "field", for: "only-changed" }, changed, "only what was changed")),
      place,
    ),
  );
  keep({
    signal,
    node: place,
    load: async (ending) => {
      const found = [];
      for await (const page of listed("settings", { signal: ending })) found.push(...page);
      return found;
    },
    show: (found) => {
      settings = found;
      if (table.parentElement !== place) fill(place, table);
      draw();
    },
    wants: () => false,
    isStill: true,
  });

  function draw() {
    const wanted = search.value.trim().toLowerCase();
    const shown = settings.filter(
      ({ name, value, origin }) => `${name} ${value}`.toLowerCase().includes(wanted) && (!changed.checked || origin !== "default"),
    );
    say(count, `${shown.length} of ${settings.length}`);
    fill(body, shown.map(row));
  }
}

/** @param {Setting} setting */
function row({ name, value, origin }) {
  const text = value === null ? "–" : typeof value === "string" ? value : JSON.stringify(value);
  return el(
    "tr",
    {},
    el("td", {}, el("code", {}, name)),
    el("td", {}, el("code", { class: "value" }, text)),
    el("td", { class: origin === "default" ? "quiet" : "" }, ORIGINS[origin] ?? origin),
  );
}

/** @param {AbortSignal} signal */
function about(signal) {
  const facts = el("dl", { class: "facts" });
  const place = el("div", { class: "body about" });
  keep({
    signal,
    node: place,
    load: async (ending) => {
      const asked = { signal: ending };
      return Promise.all([asApp("GET", "", asked), asApp("GET", "health", asked), get("settings", { ...asked, query: { take: 1 } })]);
    },
    show: ([index, health, settings]) => {
      const pairs = [
        ["Build", `${index.name} ${index.version}`],
        ["Store", health.store],
        ["Its schema", `version ${settings.schemaVersion}`],
        ["Jobs run on", health.provider],
        ["Health", health.reason ?? health.status],
      ];
      fill(facts, pairs.map(([name, value]) => [el("dt", {}, String(name)), el("dd", {}, String(value ?? "–"))]).flat());
      if (facts.parentElement !== place) fill(place, facts);
    },
    wants: () => false,
    isStill: true,
  });
  return el("section", { class: "panel", "aria-label": "Server" }, el("div", { class: "title" }, el("h2", {}, "Server")), place);
}

/** @param {AbortSignal} signal */
function whole(signal) {
  const name = namespace();
  const path = `namespaces/${encodeURIComponent(name)}/snapshot`;
  const file = el("input", { type: "file", accept: `.zip,${ZIP}`, class: "offscreen", tabindex: "-1", "aria-label": "A snapshot to restore" });
  const save = () =>
    attempt(async () => {
      const answer = await send("GET", new URL(path, MOCK), { headers: { Accept: ZIP }, signal });
      downloadBlob(`${name}.zip`, await answer.blob());
    }, "The snapshot is saved.");
  const restore = async () => {
    const chosen = file.files?.[0];
    file.value = "";
    if (!chosen) return;
    const text = `All that the namespace “${name}” has goes, and what ${chosen.name} has comes into its place.`;
    if (!(await confirmed({ title: `Restore “${name}”?`, text, label: "Restore it" }))) return;
    await attempt(() => change("PUT", path, undefined, { file: new Blob([chosen], { type: ZIP }) }), "The namespace is restored.");
    refreshAll();
  };
  const reset = async () => {
    const text = `All jobs, files, rules and the journal of the namespace “${name}” go; its clock and its modes are as new.`;
    if (!(await confirmed({ title: `Reset “${name}”?`, text, label: "Reset it" }))) return;
    await attempt(() => change("POST", "reset"), "The namespace begins anew.");
    refreshAll();
  };
  file.addEventListener("change", () => void restore());
  return el(
    "section",
    { class: "panel", "aria-label": "Namespace" },
    el("div", { class: "title" }, el("h2", {}, `Namespace “${name}”`)),
    el(
      "div",
      { class: "body actions" },
      el("button", { type: "button", on: { click: () => void save() } }, "Save a snapshot"),
      file,
      el("button", { type: "button", on: { click: () => file.click() } }, "Restore one …"),
      el("button", { type: "button", class: "danger", on: { click: () => void reset() } }, "Reset …"),
    ),
  );
}
