/**
 * Links to the pages of the ComfyUI servers.
 *
 * @module
 */
import { listed } from "./api.js";
import { el, fill } from "./el.js";
import { failed } from "./notices.js";

const SCHEMES = ["http:", "https:"];

/**
 * Make a link to the page of a server, in a tab of its own that cannot reach this one; null for what is no web address.
 *
 * @param {string | undefined} url
 * @param {string} text
 */
export function serverLink(url, text) {
  if (!url || !URL.canParse(url) || !SCHEMES.includes(new URL(url).protocol)) return null;
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text);
}

/**
 * Make what leads to the servers on which a graph could be opened; it stays hidden where there is none.
 *
 * @param {AbortSignal} signal
 */
export function openInComfyUI(signal) {
  const node = el("div", { class: "page", hidden: true });
  void show().catch(failed);
  return node;

  async function show() {
    const links = [];
    for await (const workers of listed("workers", { signal })) {
      for (const { id, url } of workers) links.push(serverLink(url, `Open in ComfyUI at ${id}`));
    }
    const found = links.filter((link) => link !== null);
    if (found.length === 0) return;
    const how = "ComfyUI takes no graph by an address: save it with “Download JSON”, and drop the file on its page.";
    fill(node, el("div", { class: "actions" }, found), el("p", { class: "quiet" }, how));
    node.hidden = false;
  }
}
