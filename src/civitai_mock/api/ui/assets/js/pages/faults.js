/**
 * The page of what goes wrong on purpose: the rules with their hits, a form for another one, all presets, and scenarios.
 *
 * @module
 */
import { change, curl, get, listed } from "../api.js";
import { el, fill, keyed, say } from "../el.js";
import { timeAgo } from "../elements/time-ago.js";
import { openHits } from "../faults/hits.js";
import { number, stateBadge } from "../format.js";
import { attempt, confirmed } from "../notices.js";
import { emptyBox, keep } from "../part.js";
import { readJson } from "../read-json.js";
import { here, href } from "../router.js";

const EACH_MS = 900; // as nothing tells of rules that others set
const HOOKS = ["request", "job", "blob", "callback", "stream"];
const MOST_SHOWN = 5;

/** @typedef {{type: string, default?: unknown, docs: string, unit?: string, choices?: string[]}} Param */
/** @typedef {{name: string, hook: string, params: Record<string, Param>, evidence: string, docs: Record<string, string | null>, isAvailable: boolean}} Preset */
/** @typedef {{id: string, preset?: string, params?: object, action?: object, match?: object, enabled?: boolean, hits: number, left?: number, lastHitAt?: string}} Rule */
/** @typedef {{name: string, state: string, states: Record<string, object>}} Scenario */
/** @typedef {{rules: Rule[], scenarios: Scenario[]}} Found */

/** @param {import("../pages.js").Context} context */
export async function open({ node, actions, signal, setCurl, onPlace }) {
  const chosen = () => here().query.get("rule") ?? "";
  setCurl(() => curl("GET", chosen() ? `_mock/faults/${encodeURIComponent(chosen())}` : "_mock/faults"));
  const place = el("div", { class: "page" });
  node.append(place);
  /** @type {Rule[]} */
  let rules = [];
  const form = openForm(() => void part.reload(), signal);
  const list = openRules(() => void part.reload());
  const hits = openHits();
  signal.addEventListener("abort", hits.close);
  onPlace(() => hits.choose(chosen()));
  hits.choose(chosen());
  const scenarios = openScenarios(() => void part.reload());
  const presets = openPresets(form.choose, signal);
  const allOff = el("button", { type: "button", class: "small", on: { click: () => void switchAllOff() } }, "All off");
  const removeAll = el("button", { type: "button", class: "small danger", on: { click: () => void askAndRemoveAll() } }, "Remove all");
  actions.append(allOff, removeAll);

  const part = keep({
    signal,
    node: place,
    load: async (ending) => {
      const found = /** @type {Found} */ ({ rules: [], scenarios: [] });
      for await (const page of listed("faults", { signal: ending })) found.rules.push(...page);
      for await (const page of listed("scenarios", { signal: ending })) found.scenarios.push(...page);
      return found;
    },
    show: (found) => {
      if (place.firstElementChild !== list.node) fill(place, list.node, hits.node, form.node, scenarios.node, presets.node);
      rules = found.rules;
      list.show(rules);
      hits.update(rules);
      scenarios.show(found.scenarios);
      allOff.disabled = !rules.some(isOn);
      removeAll.disabled = rules.length === 0;
    },
    wants: () => false,
    everyMs: EACH_MS,
  });

  async function switchAllOff() {
    await attempt(async () => {
      for (const rule of rules.filter(isOn)) await putRule({ ...rule, enabled: false });
    }, "All rules are off.");
    await part.reload();
  }

  async function askAndRemoveAll() {
    const about = { title: `Remove all ${rules.length} rules?`, text: "They are gone then, with their counts.", label: "Remove them" };
    if (!(await confirmed(about))) return;
    await attempt(() => change("DELETE", "faults"), "All rules are removed.");
    await part.reload();
  }
}

/** @param {Rule} rule */
function isOn(rule) {
  return rule.enabled !== false;
}

/**
 * Put a rule back as it is told: the server takes what only it says of it, and does not obey that.
 *
 * @param {Rule} rule
 */
function putRule(rule) {
  return change("PUT", `faults/${encodeURIComponent(rule.id)}`, rule);
}

/** @param {() => void} reload */
function openRules(reload) {
  const body = el("tbody");
  const table = el(
    "div",
    { class: "scroll" },
    el(
      "table",
      { class: "rules" },
      el("thead", {}, el("tr", {}, heads(["Rule", "What goes wrong", "Where it matches", "Hits", "Left", "Last hit", ""]))),
      body,
    ),
  );
  const none = emptyBox({
    title: "Nothing goes wrong on purpose",
    text: "A rule says what is hit, by what, and how often. Choose a preset below, or send one:",
    curl: curl("POST", "_mock/faults", { body: { preset: "blob-late", times: 1 } }),
    run: {
      label: "Arm blob-late once",
      act: () => attempt(() => change("POST", "faults", { preset: "blob-late", times: 1 }), "The rule is on.").then(reload),
    },
  });
  const count = el("span", { class: "quiet" });
  const node = el("section", { class: "panel", "aria-label": "Rules" }, el("div", { class: "title" }, el("h2", {}, "Rules"), count), table, none);
  return {
    node,
    /** @param {Rule[]} rules */
    show(rules) {
      say(count, rules.length ? number(rules.length) : "");
      [table.hidden, none.hidden] = [rules.length === 0, rules.length > 0];
      keyed(body, rules, { key: (rule) => rule.id, make: (rule) => makeRow(rule, reload), update: draw });
      for (const rule of rules) {
        const tr = body.querySelector(`[data-key="${CSS.escape(rule.id)}"]`);
        if (tr instanceof HTMLElement) draw(tr, rule);
      }
    },
  };

  /**
   * @param {HTMLElement} tr
   * @param {Rule} rule
   */
  function draw(tr, rule) {
    const version = JSON.stringify(rule);
    if (tr.dataset.version === version) return;
    tr.dataset.version = version;
    const [state, what, where, hits, left, last] = tr.children;
    const flip = tr.querySelector("button");
    if (!state || !what || !where || !hits || !left || !last || !flip) return;
    const isOver = rule.left === 0;
    fill(state, stateBadge(isOver ? "done" : isOn(rule) ? "bad" : "waiting", isOver ? "used up" : isOn(rule) ? "on" : "off"), el("code", { class: "quiet small" }, ` ${rule.id}`));
    fill(what, el("strong", {}, rule.preset ?? "action"), " ", el("code", { class: "clip" }, brief(rule.preset ? rule.params : rule.action)));
    fill(where, el("code", { class: "clip", title: brief(rule.match) }, brief(rule.match) || "everything"));
    fill(hits, number(rule.hits));
    fill(left, rule.left === undefined ? "–" : number(rule.left));
    last.firstChild?.replaceWith(rule.lastHitAt ? timeAgo(rule.lastHitAt) : "–");
    if (rule.hits === 0) last.querySelector("a")?.remove();
    else if (!last.querySelector("a")) last.append(whoLink(rule.id));
    const label = isOn(rule) ? "Off" : "On";
    say(flip, label);
    flip.setAttribute("aria-label", `${label}: ${rule.id}`);
  }
}

/**
 * Make the row of a rule: what changes is drawn into it, and what has the focus stays.
 *
 * @param {Rule} made
 * @param {() => void} reload
 */
function makeRow({ id }, reload) {
  const path = `faults/${encodeURIComponent(id)}`;
  const flip = () =>
    attempt(async () => {
      const rule = await get(path);
      await putRule({ ...rule, enabled: !isOn(rule) });
    }).then(reload);
  const remove = () => attempt(() => change("DELETE", path), "The rule is removed.").then(reload);
  return el(
    "tr",
    { "data-row": true, tabindex: "-1" },
    el("td"),
    el("td"),
    el("td"),
    el("td", { class: "number" }),
    el("td", { class: "number" }),
    el("td", {}, "–"),
    el(
      "td",
      {},
      el(
        "div",
        { class: "actions row-actions" },
        el("button", { type: "button", class: "small", on: { click: () => void flip() } }),
        el("button", { type: "button", class: "small", "aria-label": `Remove ${id}`, on: { click: () => void remove() } }, "Remove"),
      ),
    ),
  );
}

/** @param {string} id */
function whoLink(id) {
  return el("a", { class: "who", href: href("faults", { rule: id }), "aria-label": `Who was hit by ${id}` }, "Who");
}

/** @param {unknown} value */
function brief(value) {
  return value && Object.keys(value).length ? JSON.stringify(value) : "";
}

/** @param {string[]} texts */
function heads(texts) {
  return texts.map((text) => (text ? el("th", { scope: "col", class: ["Hits", "Left"].includes(text) && "number" }, text) : el("td")));
}

/**
 * A form beside the JSON that it makes; what is sent is the JSON, which may be edited.
 *
 * @param {() => void} reload
 * @param {AbortSignal} signal
 */
function openForm(reload, signal) {
  /** @type {Preset | null} */
  let preset = null;
  const params = el("div", { class: "page" });
  const title = el("p", { class: "quiet" }, "Choose a preset below, or write a rule.");
  const times = field("Times", el("input", { type: "number", min: "1", placeholder: "always" }));
  const route = field("Route", el("input", { type: "text", placeholder: "/v1/consumer/jobs/{jobId}" }));
  const prompt = field("Prompt contains", el("input", { type: "text" }));
  const json = el("textarea", { rows: "9", spellcheck: "false", class: "mono", "aria-label": "The rule as JSON" });
  json.value = '{\n  "preset": "blob-late"\n}';
  const dry = el("div", { role: "status" });
  for (const input of [times.input, route.input, prompt.input]) input.addEventListener("input", write);

  function write() {
    const match = {
      ...(route.input.value.trim() ? { route: route.input.value.trim() } : {}),
      ...(prompt.input.value.trim() ? { prompt: { contains: prompt.input.value.trim() } } : {}),
    };
    const values = Object.fromEntries(
      [...params.querySelectorAll("input, select")].flatMap((input) => {
        const { name, value, type } = /** @type {HTMLInputElement} */ (input);
        return value.trim() === "" ? [] : [[name, type === "number" ? Number(value) : value === "true" ? true : value === "false" ? false : value]];
      }),
    );
    const rule = {
      ...(preset ? { preset: preset.name } : {}),
      ...(Object.keys(values).length ? { params: values } : {}),
      ...(Object.keys(match).length ? { match } : {}),
      ...(times.input.value ? { times: Number(times.input.value) } : {}),
    };
    json.value = JSON.stringify(rule, null, 2);
  }

  /** @param {(rule: unknown) => Promise<unknown>} act */
  async function withRule(act) {
    const rule = readJson(json.value, "The rule is not JSON");
    if (rule !== undefined) await act(rule);
  }

  const add = () => withRule((rule) => attempt(() => change("POST", "faults", rule), "The rule is on.").then(reload));
  const tryIt = () =>
    withRule(async (rule) => {
      const found = await attempt(() => change("POST", "faults/dry-run", rule, { signal }));
      if (!found) return;
      fill(
        dry,
        el("p", {}, `It would have hit ${number(found.count)} of the requests in the journal.`),
        el(
          "ul",
          { class: "dry" },
          found.items.slice(0, MOST_SHOWN).map((/** @type {any} */ entry) => el("li", {}, el("code", {}, `${entry.method} ${entry.path}`), ` ${entry.status}`)),
        ),
      );
    });

  const node = el(
    "section",
    { class: "panel", "aria-label": "New rule" },
    el("div", { class: "title" }, el("h2", {}, "New rule"), title),
    el(
      "div",
      { class: "body rule-form" },
      el("div", { class: "page" }, params, route.node, prompt.node, times.node),
      el(
        "div",
        { class: "page" },
        json,
        el(
          "div",
          { class: "actions" },
          el("button", { type: "button", class: "primary", on: { click: () => void add() } }, "Add the rule"),
          el("button", { type: "button", on: { click: () => void tryIt() } }, "Dry run"),
        ),
        dry,
      ),
    ),
  );
  return {
    node,
    /** @param {Preset} chosen */
    choose(chosen) {
      preset = chosen;
      say(title, `${chosen.name}: ${chosen.docs.v1 ?? chosen.docs.v2 ?? ""}`);
      fill(params, Object.entries(chosen.params).map(([name, param]) => paramField(name, param, write)));
      fill(dry);
      write();
      node.scrollIntoView({ block: "start" });
      json.focus({ preventScroll: true });
    },
  };
}

/**
 * @param {string} label
 * @param {HTMLInputElement} input
 */
function field(label, input) {
  return { input, node: el("label", { class: "stacked" }, el("span", { class: "quiet" }, label), input) };
}

/**
 * @param {string} name
 * @param {Param} param
 * @param {() => void} write
 */
function paramField(name, param, write) {
  const shown = param.default === undefined || param.default === null ? "" : String(param.default);
  const input = el("input", { name, type: param.type === "number" ? "number" : "text", step: "any", placeholder: shown });
  input.addEventListener("input", write);
  const unit = param.unit ? ` (${param.unit})` : "";
  return el("label", { class: "stacked" }, el("span", {}, el("code", {}, name), el("span", { class: "quiet" }, ` ${param.docs}${unit}`)), input);
}

/**
 * @param {(preset: Preset) => void} choose
 * @param {AbortSignal} signal
 */
function openPresets(choose, signal) {
  const search = el("input", { type: "search", placeholder: "Search presets", "aria-label": "Search presets", "data-search": true });
  const place = el("div", { class: "body page" });
  const node = el("section", { class: "panel", "aria-label": "Presets" }, el("div", { class: "title" }, el("h2", {}, "Presets"), el("span", { class: "quiet" }, "each from a real incident"), search), place);
  /** @type {Preset[]} */
  let presets = [];
  search.addEventListener("input", draw);
  keep({
    signal,
    node: place,
    load: (ending) => get("presets", { signal: ending, query: { take: 1000 } }),
    show: (found) => {
      presets = found.items;
      draw();
    },
    wants: () => false,
    isStill: true,
  });

  function draw() {
    const wanted = search.value.trim().toLowerCase();
    const like = presets.filter((preset) => JSON.stringify(preset).toLowerCase().includes(wanted));
    fill(
      place,
      like.length === 0 && el("p", { class: "quiet" }, "No preset is like that."),
      HOOKS.filter((hook) => like.some((preset) => preset.hook === hook)).map((hook) =>
        el("div", { class: "page" }, el("h3", {}, `At a ${hook}`), el("div", { class: "cards" }, like.filter((preset) => preset.hook === hook).map((preset) => card(preset, choose)))),
      ),
    );
  }
  return { node };
}

/**
 * @param {Preset} preset
 * @param {(preset: Preset) => void} choose
 */
function card(preset, choose) {
  const docs = [...new Set([preset.docs.v1, preset.docs.v2].filter(Boolean))];
  return el(
    "article",
    { class: "card" },
    el("h4", { class: "mono" }, preset.name),
    docs.map((text) => el("p", {}, text ?? "")),
    el("p", { class: "quiet small" }, preset.evidence),
    el(
      "div",
      { class: "actions" },
      preset.isAvailable
        ? el("button", { type: "button", class: "small", "aria-label": `Use ${preset.name}`, on: { click: () => choose(preset) } }, "Use")
        : el("span", { class: "quiet small" }, "not available here"),
      Object.keys(preset.params).length > 0 && el("span", { class: "quiet small" }, `params: ${Object.keys(preset.params).join(", ")}`),
    ),
  );
}

/** @param {() => void} reload */
function openScenarios(reload) {
  const body = el("tbody");
  const node = el(
    "section",
    { class: "panel", "aria-label": "Scenarios" },
    el("div", { class: "title" }, el("h2", {}, "Scenarios")),
    el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, heads(["Scenario", "State"]))), body)),
  );
  return {
    node,
    /** @param {Scenario[]} scenarios */
    show(scenarios) {
      node.hidden = scenarios.length === 0;
      keyed(body, scenarios, {
        key: (scenario) => scenario.name,
        make: (scenario) => row(scenario, reload),
        update: (tr, scenario) => {
          const select = tr.querySelector("select");
          if (select && document.activeElement !== select) select.value = scenario.state;
        },
      });
    },
  };
}

/**
 * @param {Scenario} scenario
 * @param {() => void} reload
 */
function row(scenario, reload) {
  const select = el(
    "select",
    { "aria-label": `State of ${scenario.name}` },
    Object.keys(scenario.states).map((name) => el("option", { value: name, selected: name === scenario.state }, name)),
  );
  select.addEventListener("change", () => {
    const path = `scenarios/${encodeURIComponent(scenario.name)}/state`;
    void attempt(() => change("PUT", path, { state: select.value }), "The state is set.").then(reload);
  });
  return el("tr", {}, el("td", {}, scenario.name), el("td", {}, select));
}
