/**
 * The page of what goes on now: who waits and why, who runs and how far, and what ended in the last minute.
 *
 * @module
 */
import { change, curl, get } from "../api.js";
import { drawSpark } from "../draw/spark.js";
import { el, fill, keyed, say } from "../el.js";
import { timeAgo } from "../elements/time-ago.js";
import { badge, duration, hasEnded, now, number, shortId } from "../format.js";
import { askAndCancel, give, submitExample } from "../job/orders.js";
import { attempt } from "../notices.js";
import { emptyBox, explain, keep } from "../part.js";
import { href } from "../router.js";
import { listen, refreshAll } from "../store.js";

const MINUTE_MS = 60_000;
const [MOST_RUNNING, MOST_WAITING, MOST_ENDED] = [60, 100, 20];
const BUCKET_MS = 5000;
const BUCKETS = 60; // five minutes

/** @typedef {{jobId: string, status: string, stage: string, type: string, createdAt: string, changedAt: string, prompt?: string, model?: string, workerId?: string, retryAttempt: number, priority: number}} Item */
/** @typedef {Item & {position?: number, estimatedStartDate?: string, waitsFor: string}} Waiting */
/** @typedef {Item & {step?: number, steps?: number}} Running */
/** @typedef {{waiting: Waiting[], running: Running[], ended: Item[], counts: {waiting: number, running: number}, perSecond: number, isPaused: boolean}} Overview */

/** @type {Record<string, string>} */
const WHY = {
  worker: "a free worker",
  jobs: "other jobs",
  order: "an order of yours",
  claiming: "claiming to go on",
  look: "a look at its status",
};

/** @param {import("../pages.js").Context} context */
export function open({ node, actions, signal, setCurl }) {
  setCurl(() => curl("GET", "_mock/overview"));
  const pause = el("button", { type: "button", class: "small", hidden: true, on: { click: () => void setPaused(!isPaused) } });
  const paused = el("p", { class: "reason", role: "status", hidden: true }, "Claiming is paused: no worker takes a job until it goes on.");
  let isPaused = false;
  actions.append(pause);
  const rates = openRates(signal);
  const running = section("Running", ["State", "Job", "Prompt", "Worker", "For", ""]);
  const waiting = section("Waiting", ["Place", "Job", "Prompt", "Waits for", "For", ""]);
  const ended = section("Ended in the last minute", ["State", "Job", "Prompt", "Lasted", "Ago", ""]);
  const place = el("div", { class: "page" });
  node.append(rates.node, paused, place);
  /** @type {Map<string, {step: number, steps: number}>} */
  const steps = new Map();

  keep({
    signal,
    node: place,
    load: async (ending) => {
      const [overview, claiming] = await Promise.all([get("overview", { signal: ending }), get("queue/claiming", { signal: ending })]);
      return { ...overview, isPaused: claiming.paused };
    },
    show: (/** @type {Overview} */ found) => {
      isPaused = found.isPaused;
      pause.hidden = false;
      paused.hidden = !isPaused;
      say(pause, isPaused ? "Let claiming go on" : "Pause claiming");
      const isIdle = found.running.length + found.waiting.length + found.ended.length === 0;
      if (isIdle) explain(place, "idle", idle);
      else if (place.firstElementChild !== running.node) fill(place, running.node, waiting.node, ended.node);
      for (const job of found.running) if (job.steps) steps.set(job.jobId, { step: job.step ?? 0, steps: job.steps });
      running.show(found.running.slice(0, MOST_RUNNING), found.counts.running, { make: row, update: (tr, job) => drawRunning(tr, job, steps) });
      waiting.show(found.waiting.slice(0, MOST_WAITING), found.counts.waiting, { make: row, update: drawWaiting });
      ended.show(found.ended.filter((job) => Date.parse(job.changedAt) > now() - MINUTE_MS).slice(0, MOST_ENDED), found.ended.length, {
        make: row,
        update: drawEnded,
      });
      rates.show(found.perSecond);
    },
    wants: (messages) => messages.some((message) => message.type === "job"),
  });
  listen(signal, (messages) => {
    for (const { type, jobId, step, steps: all } of messages) {
      if (type !== "generation_progress" || !jobId) continue;
      steps.set(jobId, { step, steps: all });
      const tr = running.body.querySelector(`[data-key="${CSS.escape(jobId)}"]`);
      if (tr instanceof HTMLElement) drawSteps(tr, steps.get(jobId));
    }
  });
}

/**
 * @param {string} title
 * @param {string[]} heads
 */
function section(title, heads) {
  const count = el("span", { class: "quiet" });
  const body = el("tbody");
  const none = el("p", { class: "quiet body" }, "None.");
  const table = el(
    "div",
    { class: "scroll" },
    el(
      "table",
      { class: "queue" },
      el("caption", { class: "offscreen" }, title),
      el("thead", {}, el("tr", {}, heads.map((text) => el("th", { scope: "col" }, text || el("span", { class: "offscreen" }, "Actions"))))),
      body,
    ),
  );
  return {
    body,
    node: el("section", { class: "panel", "aria-label": title }, el("div", { class: "title" }, el("h2", {}, title), count), none, table),
    /**
     * @template {Item} T
     * @param {T[]} jobs
     * @param {number} all
     * @param {{make: (job: T) => HTMLElement, update: (row: HTMLElement, job: T) => void}} how
     */
    show(jobs, all, { make, update }) {
      say(count, all > jobs.length ? `${number(all)}, of which the first ${number(jobs.length)}` : number(jobs.length));
      table.hidden = jobs.length === 0;
      none.hidden = jobs.length > 0;
      const made = (/** @type {T} */ job) => {
        const node = make(job);
        update(node, job);
        return node;
      };
      keyed(body, jobs, { key: (job) => job.jobId, make: made, update });
    },
  };
}

/** @param {boolean} paused */
async function setPaused(paused) {
  await attempt(() => change("PUT", "queue/claiming", { paused }), paused ? "Claiming is paused." : "Claiming goes on.");
  refreshAll();
}

/**
 * @param {string} id
 * @param {number} priority
 */
async function raise(id, priority) {
  await attempt(() => change("PUT", `jobs/${encodeURIComponent(id)}/priority`, { priority }), `Its priority is ${priority} now.`);
  refreshAll();
}

/** @param {Item & {waitsFor?: string}} job */
function isMovedByHand(job) {
  return !job.waitsFor && !job.workerId && !hasEnded(job.status);
}

/** @param {Item & {waitsFor?: string}} job */
function row(job) {
  const button = (/** @type {string} */ label, /** @type {() => unknown} */ act) =>
    el("button", { type: "button", class: "small", "aria-label": `${label} job ${shortId(job.jobId)}`, on: { click: () => void act() } }, label);
  const tr = el("tr", { "data-row": true, tabindex: "-1" });
  fill(
    tr,
    el("td"),
    el("td", {}, el("a", { class: "mono", href: href(`jobs/${job.jobId}`), title: job.jobId }, shortId(job.jobId))),
    el(
      "td",
      {},
      el("span", { class: "clip", title: job.prompt?.slice(0, 1000) }, job.prompt?.slice(0, 300) ?? job.type),
      el("span", { class: "clip quiet small" }, job.model ?? ""),
    ),
    el("td"),
    el("td", { class: "number" }),
    el(
      "td",
      {},
      el(
        "div",
        { class: "actions row-actions" },
        (job.waitsFor === "order" || isMovedByHand(job)) && [
          button("Advance", () => give(job.jobId, "advance")),
          button("Succeed", () => give(job.jobId, "succeed")),
          button("Fail", () => give(job.jobId, "fail")),
        ],
        (job.waitsFor === "worker" || job.waitsFor === "claiming") && button("Raise", () => raise(job.jobId, Number(tr.dataset.priority) + 1)),
        !hasEnded(job.status) && button("Cancel", () => askAndCancel(job)),
      ),
    ),
  );
  return tr;
}

/**
 * @param {HTMLElement} tr
 * @param {Running} job
 * @param {Map<string, {step: number, steps: number}>} steps
 */
function drawRunning(tr, job, steps) {
  const version = `${job.stage} ${job.changedAt}`;
  if (tr.dataset.version !== version) {
    tr.dataset.version = version;
    fill(tr.children[0], badge(job.status, stageWord(job.stage)), el("progress", { max: 1, value: 0, hidden: true, "aria-label": "Steps" }));
    fill(tr.children[3], el("span", { class: "clip", title: job.workerId }, job.workerId ?? ""), el("span", { class: "quiet small steps" }));
    fill(tr.children[4], timeAgo(job.changedAt, { words: false }));
  }
  drawSteps(tr, steps.get(job.jobId));
}

/**
 * @param {HTMLElement} tr
 * @param {{step: number, steps: number} | undefined} known
 */
function drawSteps(tr, known) {
  const bar = tr.querySelector("progress");
  const text = tr.querySelector(".steps");
  if (!known || !bar || !text) return;
  bar.hidden = false;
  bar.value = known.step / known.steps;
  say(text, `step ${known.step} of ${known.steps}`);
}

/** @param {string} stage */
function stageWord(stage) {
  return { CLAIMED: "Claimed", PROMPT_PREPARED: "Prompt prepared", SENT_TO_COMFY: "In ComfyUI", COMFY_RESULT: "Result" }[stage] ?? "Running";
}

/**
 * @param {HTMLElement} tr
 * @param {Waiting} job
 */
function drawWaiting(tr, job) {
  const version = `${job.position} ${job.waitsFor} ${job.changedAt} ${job.priority} ${job.estimatedStartDate ?? ""}`;
  tr.dataset.priority = String(job.priority);
  if (tr.dataset.version === version) return;
  tr.dataset.version = version;
  fill(tr.children[0], badge(job.status, job.position ? String(job.position) : "–"));
  const why = WHY[job.waitsFor] ?? job.waitsFor;
  const eta = job.estimatedStartDate && Date.parse(job.estimatedStartDate) > now() ? timeAgo(job.estimatedStartDate) : null;
  fill(tr.children[3], why, eta && el("span", { class: "clip quiet small" }, "begins ", eta));
  fill(tr.children[4], timeAgo(job.createdAt, { words: false }));
}

/**
 * @param {HTMLElement} tr
 * @param {Item} job
 */
function drawEnded(tr, job) {
  if (tr.dataset.version) return;
  tr.dataset.version = job.changedAt;
  fill(tr.children[0], badge(job.status));
  fill(tr.children[3], duration(Date.parse(job.changedAt) - Date.parse(job.createdAt)));
  fill(tr.children[4], timeAgo(job.changedAt, { words: false }));
}

/**
 * Count what ends and how long it waited, as far as this page has seen it, for two small lines.
 *
 * @param {AbortSignal} signal
 */
function openRates(signal) {
  /** @type {{ended: number, waits: number[]}[]} */
  const buckets = Array.from({ length: BUCKETS }, () => ({ ended: 0, waits: [] }));
  /** @type {Map<string, number>} */
  const queuedAt = new Map();
  const [rate, wait] = [el("strong"), el("strong")];
  const [rateLine, waitLine] = [el("span"), el("span")];
  const part = (/** @type {string} */ name, /** @type {HTMLElement} */ value, /** @type {HTMLElement} */ line) =>
    el("div", { class: "figure" }, el("span", { class: "quiet small" }, name), value, line);
  const node = el("div", { class: "figures" }, part("Jobs per second, of 5 min", rate, rateLine), part("p95 of waiting, since you look", wait, waitLine));

  listen(signal, (messages) => {
    const bucket = /** @type {typeof buckets[0]} */ (buckets.at(-1));
    for (const { type, jobId, event } of messages) {
      if (type !== "job" || !jobId) continue;
      const at = Date.parse(event?.dateTime ?? "");
      if (event?.type === "Initialized") queuedAt.set(jobId, at);
      if (event?.type === "Claimed" && queuedAt.has(jobId)) bucket.waits.push(at - Number(queuedAt.get(jobId)));
      if (event?.jobHasCompleted) {
        bucket.ended += 1;
        queuedAt.delete(jobId);
      }
    }
    if (queuedAt.size > 10_000) queuedAt.clear();
  });
  const ticking = setInterval(() => {
    buckets.push({ ended: 0, waits: [] });
    buckets.shift();
    if (!document.hidden) draw();
  }, BUCKET_MS);
  signal.addEventListener("abort", () => clearInterval(ticking));

  function draw() {
    const perSecond = buckets.map((bucket) => bucket.ended / (BUCKET_MS / 1000));
    const waits = buckets.map((bucket) => highest(bucket.waits));
    fill(rateLine, drawSpark(perSecond, "Jobs per second in the last five minutes"));
    fill(waitLine, drawSpark(waits, "How long jobs waited in the last five minutes"));
    const all = buckets.flatMap((bucket) => bucket.waits);
    say(wait, all.length ? duration(highest(all)) : "–");
  }
  draw();
  return { node, show: (/** @type {number} */ perSecond) => say(rate, perSecond.toFixed(2)) };
}

/** @param {number[]} values */
function highest(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * 0.95)] ?? 0;
}

function idle() {
  const example = submitExample();
  return el(
    "div",
    { class: "panel" },
    emptyBox({
      title: "Nothing waits, nothing runs",
      text: "Jobs stand here from their submission to a minute after their end. This submits one:",
      curl: example.curl,
      run: { label: "Run it for me", act: example.run },
    }),
  );
}
