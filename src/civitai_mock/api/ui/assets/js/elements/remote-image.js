/**
 * `<remote-image>`: a picture of the control plane, which is asked for with its token and only once it is near to be seen.
 *
 * @module
 */
import { ApiError, LeftError, send } from "../api.js";
import { el, fill } from "../el.js";
import { describe, failed } from "../notices.js";
import { MOCK } from "../router.js";

const MOST_AT_ONCE = 3; // a picture may be drawn only now, and others wait for the server, too

/** @type {RemoteImage[]} */
const waiting = [];
let running = 0;

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting || !(target instanceof RemoteImage)) continue;
      near.unobserve(target);
      waiting.push(target);
    }
    begin();
  },
  { rootMargin: "200px" },
);

function begin() {
  while (running < MOST_AT_ONCE && waiting.length > 0) {
    const next = waiting.shift();
    if (!next?.isConnected) continue;
    running += 1;
    void next.load().finally(() => {
      running -= 1;
      begin();
    });
  }
}

class RemoteImage extends HTMLElement {
  /** @type {string} */
  url = "";
  leave = new AbortController();

  connectedCallback() {
    this.leave = new AbortController();
    near.observe(this);
  }

  disconnectedCallback() {
    near.unobserve(this);
    this.leave.abort();
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = "";
  }

  async load() {
    const alt = this.getAttribute("alt") ?? "";
    try {
      const answer = await send("GET", new URL(this.getAttribute("path") ?? "", MOCK), { signal: this.leave.signal });
      this.url = URL.createObjectURL(await answer.blob());
      if (!this.isConnected) return this.disconnectedCallback();
      const isVideo = (answer.headers.get("content-type") ?? "").startsWith("video/");
      fill(this, isVideo ? el("a", { href: this.url, download: "" }, "Save the video") : el("img", { src: this.url, alt }));
      this.dispatchEvent(new Event("shown"));
    } catch (error) {
      if (error instanceof LeftError || this.leave.signal.aborted) return;
      const { title, traceId } = describe(error);
      fill(this, el("p", { class: "quiet small", title: `${title} ${traceId}` }, `No picture: ${title}`));
      const isUsual = error instanceof ApiError && (error.status === 404 || error.kind === "network");
      if (!isUsual) failed(error, { key: title }); // files have an end, and of a lost connection the header tells
    }
  }
}

customElements.define("remote-image", RemoteImage);

/**
 * @param {string} path below `/_mock/`
 * @param {string} alt
 * @param {Record<string, unknown>} [props]
 */
export function remoteImage(path, alt, props = {}) {
  return el(/** @type {any} */ ("remote-image"), { path, alt, ...props });
}
