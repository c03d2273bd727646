/**
 * What can be done with jobs: submit one, submit it again, cancel it, and move it where nothing else does.
 *
 * @module
 */
import { ApiError, asApp, change, curl, get } from "../api.js";
import { attempt, confirmed } from "../notices.js";
import { go, href } from "../router.js";
import { refreshAll } from "../store.js";

const JOBS = "v1/consumer/jobs";
const MANY = 100;
const EXAMPLE = {
  $type: "textToImage",
  model: "urn:air:sd1:checkpoint:civitai:4384@128713",
  params: {
    prompt: "a lighthouse over a stormy sea at night, oil painting",
    steps: 20,
    cfgScale: 7,
    width: 512,
    height: 512,
  },
};

/** Return how an example is submitted, by curl and by this page, which then goes to it. */
export function submitExample() {
  return { curl: curl("POST", JOBS, { body: EXAMPLE }), run: () => submit(EXAMPLE, "The job is submitted.") };
}

/** Return how an example is submitted that takes its time, by the clock of the namespace. */
export function submitLongExample() {
  const asked = { body: EXAMPLE, headers: { "X-Mock-Progress": "time; SENT_TO_COMFY=9m" } };
  return { curl: curl("POST", JOBS, asked), run: () => attempt(() => asApp("POST", JOBS, asked), "The job is submitted.") };
}

/**
 * Submit a job, and go to its page.
 *
 * @param {unknown} body
 * @param {string} text
 */
export async function submit(body, text) {
  const answer = await attempt(() => asApp("POST", JOBS, { body }), text);
  const id = answer?.jobs?.[0]?.jobId;
  if (id) go(href(`jobs/${id}`));
}

/** @param {string} id */
export function cancelJob(id) {
  return change("POST", `jobs/${encodeURIComponent(id)}/cancel`);
}

/**
 * Cancel one job, once somebody is sure.
 *
 * @param {{jobId: string}} job
 */
export async function askAndCancel({ jobId }) {
  const about = { title: "Cancel this job?", text: `Job ${jobId} ends as Deleted.`, label: "Cancel the job" };
  if (!(await confirmed(about))) return;
  await attempt(() => cancelJob(jobId), "The job is cancelled.");
  refreshAll();
}

/**
 * Submit once more what a job was made of, and go to the new one.
 *
 * @param {{jobId: string}} job
 */
export async function resubmit({ jobId }) {
  const made = await attempt(() => change("POST", `jobs/${encodeURIComponent(jobId)}/resubmit`), "The job is submitted again.");
  if (made?.jobId) go(href(`jobs/${made.jobId}`));
  else if (made) go(href("jobs"));
}

/**
 * Give a job an order that the control plane has: `advance`, `succeed`, `fail`, `reject`, `lose`.
 *
 * @param {string} id
 * @param {"advance" | "succeed" | "fail" | "reject" | "lose"} order
 */
export async function give(id, order) {
  await attempt(() => change("POST", `jobs/${encodeURIComponent(id)}/${order}`), `Told the job to ${order}.`);
  refreshAll();
}

/** @typedef {{method: string, path: string, namespace: string, time: string, status: number, ms: number, traceId: string, jobIds: string[], fault?: string, request: {body: any, bodyIs: string, headers: Record<string, string>}, response: {body: any, bodyIs: string, headers: Record<string, string>}, id: string, rules: any[]}} Entry */
/** @typedef {Omit<Entry, "request" | "response">} BriefEntry as lists have it */

/**
 * Return the requests that touched a job, the youngest first; none where there is no journal.
 *
 * @param {string} id
 * @param {AbortSignal} [signal]
 * @returns {Promise<Entry[]>}
 */
export async function requestsOf(id, signal) {
  const found = await get("journal", { signal, query: { jobId: id, take: MANY } });
  return found.items;
}

/**
 * Return the request that submitted a job; null if the journal does not have it.
 *
 * @param {string} id
 * @param {AbortSignal} [signal]
 * @returns {Promise<Entry | null>}
 */
export async function submissionOf(id, signal) {
  try {
    const found = await get("journal", { signal, query: { jobId: id, method: "POST", take: MANY } });
    const entries = /** @type {Entry[]} */ (found.items);
    return entries.findLast((entry) => entry.status < 300 && entry.request.bodyIs === "json") ?? null;
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return null; // JOURNAL_MAX_ENTRIES is 0
    throw error;
  }
}
