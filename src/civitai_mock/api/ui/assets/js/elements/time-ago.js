/**
 * `<time-ago>`: how long ago something was, by the clock of the namespace; it counts by itself.
 *
 * @module
 */
import { el, say } from "../el.js";
import { age, localDate, now } from "../format.js";

const EACH_MS = 1000;

/** @type {Set<TimeAgo>} */
const shown = new Set();

setInterval(() => {
  if (!document.hidden) for (const element of shown) element.count();
}, EACH_MS);

class TimeAgo extends HTMLElement {
  connectedCallback() {
    shown.add(this);
    const date = this.getAttribute("date") ?? "";
    this.title = `${localDate(date)} (${date})`;
    this.count();
  }

  disconnectedCallback() {
    shown.delete(this);
  }

  count() {
    const ms = now() - Date.parse(this.getAttribute("date") ?? "");
    const words = this.getAttribute("words") === "none" ? "" : " ago";
    say(this, ms < -500 ? `in ${age(-ms)}` : `${age(ms)}${words}`);
  }
}

customElements.define("time-ago", TimeAgo);

/**
 * @param {string} date
 * @param {{words?: boolean}} [how]
 */
export function timeAgo(date, { words = true } = {}) {
  return el(/** @type {any} */ ("time-ago"), { date, words: words ? null : "none" });
}
