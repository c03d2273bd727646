/**
 * One job: how it is in the first lines, what can be done with it, and tabs for all there is to know.
 *
 * @module
 */
import { get } from "../api.js";
import { download } from "../downloads.js";
import { el, fill, reveal, say } from "../el.js";
import { timeAgo } from "../elements/time-ago.js";
import { badge, duration, hasEnded } from "../format.js";
import { copyButton, failed } from "../notices.js";
import { brokenBox, keep } from "../part.js";
import { here, href } from "../router.js";
import { listen } from "../store.js";
import { askAndCancel, give, resubmit } from "./orders.js";
import { reasonOf } from "./reason.js";
import { TABS } from "./tabs.js";

/** @typedef {import("./tabs.js").Job} Job */

/**
 * Show a job until a signal.
 *
 * @param {{node: HTMLElement, id: string, signal: AbortSignal}} context
 */
export function openJob({ node, id, signal }) {
  const top = el("div", { class: "job-top" });
  const panel = el("div", { role: "tabpanel", id: "job-panel", tabindex: "0" });
  const tabs = openTabs({ panel, id, signal });
  const holder = el("div");
  /** @type {Job | null} */
  let job = null;

  keep({
    signal,
    node: holder,
    load: (ending) => get(`jobs/${encodeURIComponent(id)}`, { signal: ending }),
    show: (/** @type {Job} */ found) => {
      if (!job) fill(holder, top, tabs.list, panel);
      job = found;
      drawTop(top, found);
      tabs.update(found);
    },
    wants: (messages) => messages.some((message) => message.jobId === id && message.type !== "generation_progress"),
    isStill: true,
  });
  listen(signal, (messages) => {
    const progress = messages.findLast((message) => message.jobId === id && message.type === "generation_progress");
    if (progress && job && !hasEnded(job.status)) drawProgress(top, progress);
  });
  fill(node, holder);
}

/**
 * @param {HTMLElement} top
 * @param {Job} job
 */
function drawTop(top, job) {
  const ended = hasEnded(job.status);
  const lasted = duration(Date.parse(job.changedAt) - Date.parse(job.createdAt));
  const bar = ended ? null : el("progress", { max: 1, value: 0, "aria-label": "Steps", hidden: true });
  const why = reasonOf(job);
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.act : undefined;
  fill(
    top,
    el(
      "div",
      { class: "job-line" },
      badge(job.status),
      el("span", { class: "quiet" }, job.type),
      timeAgo(job.createdAt),
      ended && el("span", { class: "quiet" }, `lasted ${lasted}`),
      job.retryAttempt > 0 && el("span", {}, `attempt ${job.retryAttempt + 1}`),
      el("span", { class: "quiet" }, `${job.cost.toFixed(2)} Buzz`),
    ),
    el("p", { class: "mono" }, job.jobId),
    why && el("p", { class: "reason" }, why),
    job.prompt !== undefined && el("p", { class: "prompt", tabindex: "0", "aria-label": "Prompt" }, job.prompt.slice(0, 20_000)),
    bar,
    el("p", { class: "quiet steps", hidden: true }),
    buttonsOf(job, ended),
  );
  if (focused) /** @type {HTMLElement | null} */ (top.querySelector(`[data-act="${focused}"]`))?.focus();
}

/**
 * @param {HTMLElement} top
 * @param {import("../source.js").Message} message
 */
function drawProgress(top, { step, steps, progress, current, total }) {
  const bar = top.querySelector("progress");
  const text = top.querySelector(".steps");
  if (!bar || !(text instanceof HTMLElement)) return;
  bar.hidden = text.hidden = false;
  bar.value = progress;
  say(text, `step ${step} of ${steps}${total > 1 ? `, picture ${current} of ${total}` : ""}`);
}

/**
 * @param {Job} job
 * @param {boolean} ended
 */
function buttonsOf(job, ended) {
  const button = (/** @type {string} */ label, /** @type {() => unknown} */ act, more = {}) =>
    el("button", { type: "button", class: "small", "data-act": label, on: { click: () => void act() }, ...more }, label);
  return el(
    "div",
    { class: "actions" },
    button("Resubmit", () => resubmit(job)),
    !ended && button("Advance", () => give(job.jobId, "advance")),
    !ended && button("Succeed", () => give(job.jobId, "succeed")),
    !ended && button("Fail", () => give(job.jobId, "fail")),
    !ended && button("Cancel", () => askAndCancel(job), { class: "small danger" }),
    copyButton("Copy id", () => job.jobId, "the id"),
    copyButton("Copy trace id", () => job.traceId, "the trace id"),
    button("Download JSON", () => download(`${job.jobId}.json`, JSON.stringify(job, null, 2), "application/json")),
    el("a", { class: "button small", href: listAddress() }, "Close"),
  );
}

/**
 * @param {{panel: HTMLElement, id: string, signal: AbortSignal}} context
 */
function openTabs({ panel, id, signal }) {
  const buttons = TABS.map(({ name, title }) =>
    el("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "job-panel", on: { click: () => choose(name) } }, title),
  );
  const list = el("div", { role: "tablist", "aria-label": "What to see of the job", on: { keydown: turn } }, buttons);
  /** @type {Job | null} */
  let job = null;
  /** @type {((job: Job) => void) | null} */
  let shows = null;
  let leave = new AbortController();
  let chosen = TABS.some(({ name }) => name === here().query.get("tab")) ? here().query.get("tab") : "timeline";
  signal.addEventListener("abort", () => leave.abort());

  /** @param {string} name */
  function choose(name) {
    chosen = name;
    history.replaceState(null, "", tabAddress(id, name));
    mark();
    void load();
  }

  /** @param {Event} event */
  function turn(event) {
    const key = /** @type {KeyboardEvent} */ (event).key;
    const at = buttons.findIndex((button) => button === document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[key];
    if (to === undefined || at < 0) return;
    const next = buttons[(to + buttons.length) % buttons.length];
    next.focus();
    next.click();
    event.preventDefault();
  }

  function mark() {
    TABS.forEach(({ name }, index) => {
      buttons[index].setAttribute("aria-selected", String(name === chosen));
      buttons[index].tabIndex = name === chosen ? 0 : -1;
      if (name === chosen) reveal(list, buttons[index]);
    });
    panel.setAttribute("aria-labelledby", `tab-${chosen}`);
  }

  async function load() {
    leave.abort();
    leave = new AbortController();
    const { signal: left } = leave;
    shows = null;
    const entry = TABS.find(({ name }) => name === chosen) ?? TABS[0];
    try {
      const module = await entry.load();
      if (left.aborted) return;
      fill(panel);
      shows = module.open({ node: panel, id, signal: left });
      if (job) shows(job);
    } catch (error) {
      if (left.aborted) return;
      failed(error, { retry: load });
      fill(panel, brokenBox(error, load));
    }
  }

  return {
    list,
    /** @param {Job} found */
    update(found) {
      const isFirst = job === null;
      job = found;
      if (isFirst) {
        mark();
        void load();
      } else shows?.(found);
    },
  };
}

/** @returns {string} the list again, with its filters */
function listAddress() {
  const { query } = here();
  query.delete("tab");
  return href("jobs", query);
}

/**
 * @param {string} id
 * @param {string} tab
 */
function tabAddress(id, tab) {
  const { query } = here();
  query.set("tab", tab);
  return href(`jobs/${id}`, query);
}
