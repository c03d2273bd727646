/**
 * Ask the server: each request has a time limit, and each failure is one kind of error that a toast can show.
 *
 * @module
 */
import { DEFAULT_NAMESPACE, MOCK, namespace, ROOT } from "./router.js";

const TIMEOUT_MS = 10_000;
const TOKEN = "civitai-mock.token";

/**
 * @typedef {object} Asked
 * @property {Record<string, string | number | null | undefined>} [query]
 * @property {unknown} [body] what is sent as JSON
 * @property {Blob} [file] what is sent as it is, by its type
 * @property {string} [inNamespace] that of the page, if it is left out
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 */

/** Says why a request failed: `kind` is `network`, `timeout` or `http`. */
export class ApiError extends Error {
  /**
   * @param {string} title
   * @param {{kind: string, detail?: string, status?: number, traceId?: string, errors?: Record<string, string[]>}} about
   */
  constructor(title, { kind, detail = "", status = 0, traceId = "", errors = {} }) {
    super(title);
    this.name = "ApiError";
    this.kind = kind;
    this.detail = detail;
    this.status = status;
    this.traceId = traceId;
    this.errors = errors;
  }
}

/** Is thrown where a page was left while it waited: nobody is to be told. */
export class LeftError extends Error {}

/** @type {() => Promise<string | null>} */
let askForToken = async () => null;

/** @type {Promise<string | null> | null} */
let asking = null;
let isRefused = false; // somebody was asked for the token, and gave none: what loads by itself is not to ask once more

/** @param {() => Promise<string | null>} ask shows the dialog that asks for the token */
export function onTokenNeeded(ask) {
  askForToken = ask;
}

/** Ask for the token anew if it is needed, as somebody wants something. */
export function askAgain() {
  isRefused = false;
}

/** @returns {string} the token of the control plane, or nothing */
export function token() {
  return sessionStorage.getItem(TOKEN) ?? "";
}

/**
 * Get what the control plane answers.
 *
 * @param {string} path below `/_mock/`
 * @param {Asked} [asked]
 * @returns {Promise<any>}
 */
export async function get(path, asked = {}) {
  return body(await send("GET", new URL(path, MOCK), asked));
}

/**
 * Change something of the control plane.
 *
 * @param {"POST" | "PUT" | "DELETE"} method
 * @param {string} path below `/_mock/`
 * @param {unknown} [json]
 * @param {Asked} [asked]
 * @returns {Promise<any>}
 */
export async function change(method, path, json = {}, asked = {}) {
  return body(await send(method, new URL(path, MOCK), asked.file ? asked : { body: json, ...asked }));
}

/**
 * Send a request as an app does, for instance to submit a job.
 *
 * @param {string} method
 * @param {string} path like `v1/consumer/jobs`
 * @param {Asked} [asked]
 * @returns {Promise<any>}
 */
export async function asApp(method, path, asked = {}) {
  return body(await send(method, new URL(path, ROOT), asked));
}

/**
 * Return a link of this server's items one page after the other, until the list ends or somebody has enough.
 *
 * @param {string} path
 * @param {Asked} [asked]
 * @returns {AsyncGenerator<any[]>}
 */
export async function* listed(path, asked = {}) {
  let cursor;
  do {
    const page = await get(path, { ...asked, query: { ...asked.query, cursor } });
    yield page.items;
    cursor = page.next;
  } while (cursor);
}

/**
 * Send a request, and return an answer that is good.
 *
 * @param {string} method
 * @param {URL} url
 * @param {Asked} asked
 * @returns {Promise<Response>}
 */
export async function send(method, url, asked) {
  for (;;) {
    const sent = token();
    const answer = await once(method, url, asked);
    if (answer.ok) return answer;
    const error = await refusal(answer, `${method} ${url.pathname}`);
    if (answer.status !== 401 || url.pathname.startsWith(MOCK.pathname) === false) throw error;
    if (token() !== sent) continue; // another request was told meanwhile
    if (isRefused && !asking) throw error;
    asking ??= askForToken().finally(() => (asking = null));
    const given = await asking;
    isRefused = given === null;
    if (given === null) throw error;
    sessionStorage.setItem(TOKEN, given);
  }
}

/**
 * @param {string} method
 * @param {URL} url
 * @param {Asked} asked
 */
async function once(method, url, asked) {
  const target = withQuery(url, asked.query);
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const signal = asked.signal ? AbortSignal.any([limit, asked.signal]) : limit;
  /** @type {RequestInit} */
  const init = { method, headers: headersOf(asked), signal, credentials: "omit", redirect: "error" };
  if (asked.file) init.body = asked.file;
  else if (asked.body !== undefined) init.body = JSON.stringify(asked.body);
  try {
    return await fetch(target, init);
  } catch (cause) {
    if (asked.signal?.aborted) throw new LeftError();
    if (limit.aborted) {
      throw new ApiError("The server does not answer", {
        kind: "timeout",
        detail: `${method} ${target.pathname} had no answer after ${TIMEOUT_MS / 1000} s.`,
      });
    }
    throw new ApiError("The server is not reachable", {
      kind: "network",
      detail: `${method} ${target.pathname}: ${cause instanceof Error ? cause.message : cause}`,
    });
  }
}

/**
 * @param {URL} url
 * @param {Asked["query"]} query
 */
function withQuery(url, query = {}) {
  const target = new URL(url);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") target.searchParams.set(name, String(value));
  }
  return target;
}

/** @param {Asked} asked */
function headersOf(asked) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json", ...asked.headers };
  const chosen = asked.inNamespace ?? namespace();
  if (chosen !== DEFAULT_NAMESPACE) headers["X-Mock-Namespace"] = chosen;
  if (token()) {
    headers["X-Mock-Token"] = token();
    headers["Authorization"] ??= `Bearer ${token()}`;
  }
  if (asked.file) headers["Content-Type"] = asked.file.type;
  else if (asked.body !== undefined) headers["Content-Type"] = "application/json";
  return headers;
}

/** @param {Response} answer */
async function body(answer) {
  const text = await readText(answer);
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError("The answer is not JSON", {
      kind: "http",
      status: answer.status,
      detail: text.slice(0, 300),
      traceId: answer.headers.get("x-trace-id") ?? "",
    });
  }
}

/** @param {Response} answer */
async function readText(answer) {
  try {
    return await answer.text();
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : "";
    if (name === "AbortError") throw new LeftError();
    throw new ApiError("The answer broke off", { kind: name === "TimeoutError" ? "timeout" : "network" });
  }
}

/**
 * Return the error of an answer that is none that was hoped for; its problem document says more, if it has one.
 *
 * @param {Response} answer
 * @param {string} what was asked
 */
async function refusal(answer, what) {
  const traceId = answer.headers.get("x-trace-id") ?? "";
  const text = await readText(answer);
  /** @type {any} */
  let problem = {};
  try {
    problem = JSON.parse(text) ?? {};
  } catch {
    problem = { detail: text.slice(0, 300) };
  }
  return new ApiError(`${answer.status} ${problem.title ?? answer.statusText}`, {
    kind: "http",
    status: answer.status,
    detail: (typeof problem.detail === "string" && problem.detail) || what,
    traceId: traceId || String(problem.traceId ?? ""),
    errors: typeof problem.errors === "object" && problem.errors ? problem.errors : {},
  });
}

/**
 * Return the command by which a terminal does what this page does.
 *
 * @param {string} method
 * @param {string} path below the root of the server, like `_mock/jobs`
 * @param {Asked} [asked]
 * @returns {string}
 */
export function curl(method, path, asked = {}) {
  const url = withQuery(new URL(path, ROOT), asked.query);
  const words = ["curl", "-s", quoted(url.href)];
  if (method !== "GET") words.splice(2, 0, "-X", method);
  const chosen = asked.inNamespace ?? namespace();
  if (chosen !== DEFAULT_NAMESPACE) words.push("-H", quoted(`X-Mock-Namespace: ${chosen}`));
  for (const [name, value] of Object.entries(asked.headers ?? {})) words.push("-H", quoted(`${name}: ${value}`));
  if (token() && path.startsWith("_mock/")) words.push("-H", '"Authorization: Bearer $ADMIN_TOKEN"');
  if (method !== "GET") {
    words.push("-H", quoted("Content-Type: application/json"), "-d", quoted(JSON.stringify(asked.body ?? {})));
  }
  return words.join(" ");
}

/** @param {string} text */
function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
