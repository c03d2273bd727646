/**
 * Hold the one stream of all tabs of a browser, which allows six connections to a server: a stream for each tab would
 * leave the seventh without an answer.
 *
 * While all tabs look at one namespace, it is the stream of that; else it is that of all of them.
 *
 * @module
 */
import { openSource } from "./source.js";

const SILENT_MS = 180_000; // tabs in the background are woken once a minute

/** @typedef {{namespace: string, token: string, url: string, seenAt: number}} Tab */

/** @type {Map<MessagePort, Tab>} */
const tabs = new Map();
let open = { key: "", close: () => {} };
/** @type {{type: "state", state: import("./source.js").StreamState, why: string, status: number}} */
let state = { type: "state", state: "connecting", why: "", status: 0 };

addEventListener("connect", (event) => {
  const [port] = /** @type {MessageEvent} */ (event).ports;
  port.onmessage = ({ data }) => {
    if (data.type === "bye") tabs.delete(port);
    else if (data.type === "watch") {
      tabs.set(port, { namespace: data.namespace, token: data.token, url: data.url, seenAt: Date.now() });
      port.postMessage(state);
    } else {
      const tab = tabs.get(port);
      if (tab) tab.seenAt = Date.now();
    }
    follow();
  };
});

setInterval(() => {
  for (const [port, tab] of tabs) if (Date.now() - tab.seenAt > SILENT_MS) tabs.delete(port);
  follow();
}, 30_000);

/** Open the stream that the tabs want, if that is another one than before. */
function follow() {
  const wanted = [...tabs.values()];
  const names = new Set(wanted.map((tab) => tab.namespace));
  const last = wanted.at(-1);
  const url = last && (names.size === 1 ? `${last.url}?namespace=${encodeURIComponent(last.namespace)}` : last.url);
  const key = last ? `${url}\n${last.token}` : "";
  if (key === open.key) return;
  open.close();
  if (open.key && key) tellAll({ type: "messages", messages: [{ type: "resync" }] });
  open = {
    key,
    close: last
      ? openSource({
          url: String(url),
          token: last.token,
          onMessages: (messages) => tellEach(messages),
          onState: (found, why, status) => {
            state = { type: "state", state: found, why, status };
            tellAll(state);
          },
        })
      : () => {},
  };
}

/** @param {import("./source.js").Message[]} messages */
function tellEach(messages) {
  for (const [port, tab] of tabs) {
    const own = messages.filter((message) => !message.namespace || message.namespace === tab.namespace);
    if (own.length > 0) port.postMessage({ type: "messages", messages: own });
  }
}

/** @param {unknown} message */
function tellAll(message) {
  for (const port of tabs.keys()) port.postMessage(message);
}
