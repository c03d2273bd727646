/**
 * What this tab hears of the server: the messages of the stream, and whether it hears anything.
 *
 * @module
 */
import { token } from "./api.js";
import { MOCK, namespace } from "./router.js";

const POLL_MS = 3000;
const PING_MS = 20_000;
const PATIENCE_MS = 1500;
const URL_OF_STREAM = new URL("events", MOCK).href;

/** @typedef {import("./source.js").Message} Message */
/** @typedef {import("./source.js").StreamState} StreamState */
/** @typedef {(messages: Message[]) => void} Listener */

/** @type {Set<Listener>} */
const listeners = new Set();
/** @type {Set<() => void>} */
const watchers = new Set();

/** What the header shows of the connection. */
export const connection = {
  /** @type {StreamState} */
  state: "connecting",
  why: "",
  status: 0,
  isHeld: false,
};

let polling = 0;
let rewatch = () => {};

/**
 * Hear of messages, some at once, until a signal; a `resync` says to read all anew.
 *
 * @param {AbortSignal} signal
 * @param {Listener} listener
 */
export function listen(signal, listener) {
  if (signal.aborted) return;
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener), { once: true });
}

/**
 * @param {AbortSignal} signal
 * @param {() => void} watcher is called when the connection is another
 */
export function onConnection(signal, watcher) {
  watchers.add(watcher);
  signal.addEventListener("abort", () => watchers.delete(watcher), { once: true });
}

/** Hold the display still, or let it go on with all that happened meanwhile. */
export function toggleHold() {
  connection.isHeld = !connection.isHeld;
  for (const watcher of watchers) watcher();
  if (!connection.isHeld) refreshAll();
}

/** Have all parts of the page read anew, for instance as something was changed here. */
export function refreshAll() {
  tell([{ type: "resync", why: "changed here" }]);
}

/** Listen to the namespace that the page looks at now, with the token that there is now. */
export function watchAgain() {
  rewatch();
}

/** Begin to listen; called once. */
export function start() {
  if (typeof SharedWorker === "function") startShared();
  else void startAlone();
  addEventListener("pageshow", (event) => event.persisted && rewatch());
}

function startShared() {
  const worker = new SharedWorker(scriptUrl("./stream-worker.js"), { type: "module", name: "civitai-mock" });
  worker.addEventListener("error", () => void startAlone(), { once: true }); // it could not be loaded
  const { port } = worker;
  port.onmessage = ({ data }) => {
    if (data.type === "messages") tell(data.messages);
    else change(data.state, data.why, data.status);
  };
  rewatch = () => port.postMessage({ type: "watch", namespace: namespace(), token: token(), url: URL_OF_STREAM });
  rewatch();
  setInterval(() => port.postMessage({ type: "ping" }), PING_MS);
  addEventListener("pagehide", () => port.postMessage({ type: "bye" }));
}

async function startAlone() {
  const { openSource } = await import("./source.js");
  let close = () => {};
  rewatch = () => {
    close();
    close = () => {};
    if (document.hidden) return;
    const url = `${URL_OF_STREAM}?namespace=${encodeURIComponent(namespace())}`;
    close = openSource({ url, token: token(), onMessages: tell, onState: change });
    tell([{ type: "resync" }]);
  };
  document.addEventListener("visibilitychange", () => rewatch());
  rewatch();
}

/**
 * Return the address of a script of our own for a worker, by the one policy that the page allows.
 *
 * @param {"./stream-worker.js"} name
 * @returns {string}
 */
function scriptUrl(name) {
  const url = new URL(name, import.meta.url).href;
  const types = /** @type {any} */ (globalThis).trustedTypes;
  if (!types) return url;
  return types.createPolicy("hub", { createScriptURL: (/** @type {string} */ text) => text }).createScriptURL(url);
}

/** @param {Message[]} messages */
function tell(messages) {
  if (connection.isHeld) return; // all is read anew when it goes on
  for (const listener of listeners) listener(messages);
}

/**
 * @param {StreamState} state
 * @param {string} why
 * @param {number} status
 */
function change(state, why, status) {
  const wasLive = connection.state === "live";
  Object.assign(connection, { state, why, status });
  if (state === "live") {
    clearInterval(polling);
    polling = 0;
    if (!wasLive) tell([{ type: "resync", why: "live again" }]);
  } else if (!polling) {
    polling = setInterval(() => document.hidden || tell([{ type: "resync", why: "no stream" }]), POLL_MS);
  }
  setTimeout(() => {
    for (const watcher of watchers) watcher();
  }, state === "live" ? 0 : PATIENCE_MS); // a word that changes for a moment is noise
}
