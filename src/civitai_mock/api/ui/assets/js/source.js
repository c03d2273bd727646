/**
 * Read the stream of events, and come back to it for ever: after a restart, a broken connection or a silence.
 *
 * It runs in the worker that all tabs share, or in the tab where a browser has none. It reads by `fetch`, as EventSource
 * can send no token and tells no status.
 *
 * @module
 */

const AGAIN_MS = 2000;
const SILENCE_MS = 40_000; // a heartbeat comes every 15 s
const FLUSH_MS = 100;
const MOST_WAITING = 2000;
const LEFT_OUT = { type: "resync", why: "left out" };

/** @typedef {{type: string, at?: string, jobId?: string, namespace?: string, [name: string]: any}} Message */
/** @typedef {"connecting" | "live" | "lost" | "refused"} StreamState */

/**
 * @typedef {object} Source
 * @property {string} url
 * @property {string} token
 * @property {(messages: Message[]) => void} onMessages
 * @property {(state: StreamState, why: string, status: number) => void} onState
 */

/**
 * Read until it is closed.
 *
 * @param {Source} source
 * @returns {() => void} what closes it
 */
export function openSource(source) {
  const closing = new AbortController();
  void readForEver(source, closing.signal);
  return () => closing.abort();
}

/**
 * @param {Source} source
 * @param {AbortSignal} closed
 */
async function readForEver({ url, token, onMessages, onState }, closed) {
  const outbox = batched(onMessages, closed);
  let cursor = "";
  let isFirst = true;
  while (!closed.aborted) {
    onState(isFirst ? "connecting" : "lost", "", 0);
    try {
      const answer = await opened(url, token, cursor, closed);
      if (answer.status === 400 && cursor) {
        cursor = "";
        continue; // the server was set back: what it gave out is no cursor any more
      }
      if (!answer.ok || !answer.body) {
        onState("refused", `${answer.status} ${answer.statusText}`, answer.status);
      } else {
        onState("live", "", answer.status);
        if (!isFirst && !cursor) outbox({ type: "resync", why: "connected anew" });
        isFirst = false;
        cursor = await readLines(answer.body, outbox, cursor);
      }
    } catch (error) {
      if (!closed.aborted) onState("lost", error instanceof Error ? error.message : String(error), 0);
    }
    isFirst = false;
    await pause(AGAIN_MS, closed);
  }
}

/**
 * @param {string} url
 * @param {string} token
 * @param {string} cursor
 * @param {AbortSignal} signal
 */
function opened(url, token, cursor, signal) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "text/event-stream" };
  if (token) headers["Authorization"] = `Bearer ${token}`;
  if (cursor) headers["Last-Event-ID"] = cursor;
  return fetch(url, { headers, signal, cache: "no-store", credentials: "omit" });
}

/**
 * Read an answer to its end, and return the last cursor.
 *
 * @param {ReadableStream<Uint8Array>} body
 * @param {(message: Message) => void} tell
 * @param {string} cursor
 */
async function readLines(body, tell, cursor) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let data = "";
  try {
    for (;;) {
      const { done, value } = await inTime(reader);
      if (done) return cursor;
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line.startsWith("data: ")) data += line.slice(6);
        else if (line.startsWith("id: ")) cursor = line.slice(4);
        else if (line === "" && data) {
          tell(JSON.parse(data));
          data = "";
        }
      }
    }
  } catch (error) {
    if (error instanceof SilenceError || error instanceof SyntaxError || error instanceof TypeError) return cursor;
    throw error;
  } finally {
    reader.cancel().catch(() => undefined); // it may be broken already, which is why we are here
  }
}

class SilenceError extends Error {}

/** @param {ReadableStreamDefaultReader<Uint8Array>} reader */
async function inTime(reader) {
  let timer = 0;
  const silence = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new SilenceError()), SILENCE_MS);
  });
  try {
    return await Promise.race([reader.read(), /** @type {Promise<never>} */ (silence)]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Hand messages over in batches; where too many wait, all of them become one that says to read anew.
 *
 * @param {(messages: Message[]) => void} handOver
 * @param {AbortSignal} closed
 * @returns {(message: Message) => void}
 */
function batched(handOver, closed) {
  /** @type {Message[]} */
  let waiting = [];
  let isSet = false;
  const flush = () => {
    isSet = false;
    const batch = waiting;
    waiting = [];
    if (!closed.aborted) handOver(batch);
  };
  return (message) => {
    if (waiting.length >= MOST_WAITING) waiting = [LEFT_OUT];
    waiting.push(message);
    if (!isSet) setTimeout(flush, FLUSH_MS);
    isSet = true;
  };
}

/**
 * @param {number} ms
 * @param {AbortSignal} closed
 * @returns {Promise<void>}
 */
function pause(ms, closed) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    closed.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
