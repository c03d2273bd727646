/**
 * The page of the simulated fleet: its pods with what they do, what it costs, and the document that says what it is.
 *
 * @module
 */
import { ApiError, change, curl, get } from "../api.js";
import { drawWaterfall } from "../draw/waterfall.js";
import { el, fill, keyed, say } from "../el.js";
import { timeAgo } from "../elements/time-ago.js";
import { duration, now, number, stateBadge } from "../format.js";
import { attempt, confirmed } from "../notices.js";
import { emptyBox, explain, keep } from "../part.js";
import { readJson } from "../read-json.js";

const EACH_MS = 900;
const MICRO = 1_000_000;
const MOST_LANES = 12;
const LEAST_MS = 1000;
const LAST = "SHUTDOWN";

/** @typedef {"waiting" | "running" | "done" | "bad"} State */
/** @type {Record<string, State>} */
const STATES = {
  BOOT_REQUESTED: "waiting",
  BOOTING: "waiting",
  READY: "done",
  GENERATING: "running",
  IDLE: "done",
  PREEMPTION_WARN: "bad",
  FALLBACK: "bad",
  SHUTDOWN: "waiting",
};

/** @typedef {{podId: string, provider: string, state: string, status: string, text: string, since: string, jobsInQueue: number, billed: number, engine?: string, orders: string[]}} Pod */
/** @typedef {{name: string, pictures: number, bootSeconds: number, busySeconds: number, idleSeconds: number, perPicture: number, billed: number}} Cost */
/** @typedef {{providers: Cost[], baseline: number, billed: number, saved: number}} Costs */
/** @typedef {{fleet: {providers: {name: string, kind: string}[]}, pods: Pod[], costs: Costs}} Found */

/** @param {import("../pages.js").Context} context */
export function open({ node, actions, signal, setCurl }) {
  setCurl(() => curl("GET", "_mock/fleet/pods"));
  const place = el("div", { class: "page" });
  node.append(place);
  const costs = openCosts();
  const pods = openPods(() => void part.reload());
  const editor = openEditor(() => void part.reload());
  const boot = el("button", { type: "button", class: "small", on: { click: () => void order("POST", "fleet/pods", "A pod boots.") } }, "Boot a pod");
  actions.append(boot);

  const part = keep({
    signal,
    node: place,
    load: async (ending) => {
      if (!(await get("state", { signal: ending })).hasFleet) return null; // a 404 would stand in the console
      try {
        const fleet = await get("fleet", { signal: ending });
        const [listed, spent] = await Promise.all([get("fleet/pods", { signal: ending }), get("costs", { signal: ending })]);
        return /** @type {Found} */ ({ fleet, pods: listed.items, costs: spent });
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null; // it was taken away meanwhile
        throw error;
      }
    },
    show: (found) => {
      boot.hidden = !found?.fleet.providers.some(({ kind }) => kind === "spot");
      if (!found) {
        explain(place, "none", () => none);
        return;
      }
      if (place.firstElementChild !== costs.node) fill(place, costs.node, pods.node, editor.node);
      costs.show(found.costs);
      pods.show(found.pods);
      editor.show(found.fleet);
    },
    wants: (messages) => messages.some(({ type }) => type.startsWith("pod_") || type === "fallback_activated"),
    everyMs: EACH_MS,
  });
  const none = el(
    "div",
    { class: "panel" },
    emptyBox({
      title: "This namespace has no fleet",
      text: "With one, pods boot, are preempted and cost money, all of it simulated. This turns on the one that is built in:",
      curl: curl("PUT", "_mock/fleet", { body: {} }),
      run: { label: "Turn it on", act: () => order("PUT", "fleet", "The fleet is on.") },
    }),
  );

  /**
   * @param {"POST" | "PUT"} method
   * @param {string} path
   * @param {string} text
   */
  async function order(method, path, text) {
    await attempt(() => change(method, path), text);
    await part.reload();
  }
}

/** @param {number} microdollars */
function dollars(microdollars) {
  const sign = microdollars < 0 ? "−" : "";
  return `${sign}$${(Math.abs(microdollars) / MICRO).toFixed(4)}`;
}

function openCosts() {
  const [billed, baseline, saved] = [el("strong"), el("strong"), el("strong")];
  const figure = (/** @type {string} */ name, /** @type {HTMLElement} */ value) => el("div", { class: "figure" }, el("span", { class: "quiet small" }, name), value);
  const body = el("tbody");
  const heads = ["Provider", "Pictures", "Booting", "Busy", "Idle", "By the picture", "Billed"];
  const node = el(
    "section",
    { class: "panel", "aria-label": "Costs" },
    el("div", { class: "title" }, el("h2", {}, "Costs")),
    el("div", { class: "body figures" }, figure("Billed", billed), figure("On the baseline", baseline), figure("Saved", saved)),
    el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Costs by provider" }, el("table", { class: "costs" }, el("thead", {}, el("tr", {}, heads.map((text, at) => el("th", { scope: "col", class: at > 0 && "number" }, text)))), body)),
  );
  return {
    node,
    /** @param {Costs} costs */
    show(costs) {
      say(billed, dollars(costs.billed));
      say(baseline, dollars(costs.baseline));
      say(saved, dollars(costs.saved));
      keyed(body, costs.providers, { key: ({ name }) => name, make: () => el("tr", {}, Array.from({ length: heads.length }, (_, at) => el("td", { class: at > 0 && "number" }))) });
      costs.providers.forEach((cost, index) => {
        const texts = [cost.name, number(cost.pictures), ...[cost.bootSeconds, cost.busySeconds, cost.idleSeconds].map((s) => duration(s * 1000)), dollars(cost.perPicture), dollars(cost.billed)];
        texts.forEach((text, at) => say(/** @type {Element} */ (body.children[index]?.children[at]), text));
      });
    },
  };
}

/** @param {() => void} reload */
function openPods(reload) {
  const lanes = el("div", { class: "body scroll", tabindex: "0", role: "group", "aria-label": "Pods over time" });
  const body = el("tbody");
  const table = el(
    "div",
    { class: "scroll" },
    el(
      "table",
      { class: "pods" },
      el("thead", {}, el("tr", {}, ["Pod", "State", "Billed", "What it does", "For", "Jobs"].map((text) => el("th", { scope: "col", class: ["Billed", "Jobs"].includes(text) && "number" }, text)), el("td"))),
      body,
    ),
  );
  const none = el("p", { class: "body quiet" }, "No pod yet: one boots when a batch has more pictures than the policy says, or when you ask for it.");
  const node = el("section", { class: "panel", "aria-label": "Pods" }, el("div", { class: "title" }, el("h2", {}, "Pods"), el("span", { class: "quiet" }, "as seen since this page is open")), lanes, table, none);
  /** @type {Map<string, {state: string, text: string, from: number}[]>} */
  const seen = new Map();
  return {
    node,
    /** @param {Pod[]} pods */
    show(pods) {
      for (const pod of pods) {
        const life = seen.get(pod.podId) ?? [];
        if (life.at(-1)?.state !== pod.state) life.push({ state: pod.state, text: pod.text, from: Date.parse(pod.since) });
        seen.set(pod.podId, life);
      }
      [table.hidden, lanes.hidden, none.hidden] = [pods.length === 0, pods.length === 0, pods.length > 0];
      drawLanes(lanes, seen);
      const shown = [...pods].reverse();
      keyed(body, shown, { key: ({ podId }) => podId, make: () => el("tr", {}, Array.from({ length: 7 }, () => el("td"))) });
      shown.forEach((pod, at) => drawPod(/** @type {HTMLElement} */ (body.children[at]), pod, reload));
    },
  };
}

/**
 * @param {HTMLElement} node
 * @param {Map<string, {state: string, text: string, from: number}[]>} seen
 */
function drawLanes(node, seen) {
  const lives = [...seen].slice(-MOST_LANES);
  const from = Math.min(...lives.map(([, life]) => life[0]?.from ?? now()));
  const to = Math.max(now(), from + LEAST_MS);
  const rows = lives.map(([podId, life]) => ({
    label: podId,
    bars: life.filter(({ state }) => state !== LAST).map((part) => ({
      label: part.state,
      from: part.from,
      to: life[life.indexOf(part) + 1]?.from ?? to,
      state: STATES[part.state] ?? "waiting",
      title: `${part.state}: ${part.text}`,
    })),
    dots: [],
  }));
  if (rows.length) fill(node, drawWaterfall({ rows, from, to, label: `${rows.length} pods and their states` }, Math.max(320, node.clientWidth - 32)));
}

/**
 * @param {HTMLElement} tr
 * @param {Pod} pod
 * @param {() => void} reload
 */
function drawPod(tr, pod, reload) {
  const cost = tr.children[2];
  if (cost) say(cost, dollars(pod.billed));
  const version = JSON.stringify({ ...pod, billed: 0 }); // it grows all the time, and a button that is pressed has to stay
  if (tr.dataset.version === version) return;
  tr.dataset.version = version;
  const [id, state, billed, text, since, jobs, buttons] = tr.children;
  if (!id || !state || !billed || !text || !since || !jobs || !buttons) return;
  fill(id, el("code", {}, pod.podId));
  fill(state, stateBadge(STATES[pod.state] ?? "waiting", pod.state));
  fill(text, pod.text, pod.engine && el("div", { class: "quiet small" }, `on ${pod.engine}`));
  fill(since, timeAgo(pod.since, { words: false }));
  fill(jobs, number(pod.jobsInQueue));
  billed.className = jobs.className = "number";
  const give = (/** @type {string} */ word, /** @type {string} */ done) =>
    attempt(() => change("POST", `fleet/pods/${encodeURIComponent(pod.podId)}/${word}`), done).then(reload);
  const button = (/** @type {string} */ label, /** @type {() => unknown} */ act) =>
    el("button", { type: "button", class: "small", "aria-label": `${label} ${pod.podId}`, on: { click: () => void act() } }, label);
  fill(
    buttons,
    el(
      "div",
      { class: "actions row-actions" },
      pod.orders.includes("preempt") && button("Preempt", () => give("preempt", "The pod is warned.")),
      pod.orders.includes("shutdown") && button("Shut down", () => give("shutdown", "The pod shuts down.")),
    ),
  );
}

/** @param {() => void} reload */
function openEditor(reload) {
  const text = el("textarea", { rows: "16", class: "mono", spellcheck: "false", "aria-label": "The fleet as JSON" });
  let shown = "";
  const save = async () => {
    const body = readJson(text.value, "The fleet is not JSON");
    if (body === undefined) return;
    if (await attempt(() => change("PUT", "fleet", body), "The fleet is set.")) shown = "";
    reload();
  };
  const off = async () => {
    const about = { title: "Turn the fleet off?", text: "Its pods are gone then; jobs run as they do without a fleet.", label: "Turn it off" };
    if (!(await confirmed(about))) return;
    await attempt(() => change("DELETE", "fleet"), "The fleet is off.");
    reload();
  };
  const node = el(
    "section",
    { class: "panel", "aria-label": "Fleet document" },
    el("div", { class: "title" }, el("h2", {}, "What it is made of")),
    el(
      "div",
      { class: "body page" },
      text,
      el(
        "div",
        { class: "actions" },
        el("button", { type: "button", class: "primary", on: { click: () => void save() } }, "Save"),
        el("button", { type: "button", class: "danger", on: { click: () => void off() } }, "Turn it off …"),
      ),
    ),
  );
  return {
    node,
    /** @param {unknown} fleet */
    show(fleet) {
      const json = JSON.stringify(fleet, null, 2);
      if (text.value === shown || shown === "") text.value = json; // what somebody writes stays
      shown = json;
    },
  };
}
