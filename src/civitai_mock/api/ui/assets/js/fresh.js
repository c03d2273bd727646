/**
 * What is new waits behind a button like "12 new" while somebody reads: nothing moves under his eyes.
 *
 * @module
 */
import { el, say } from "./el.js";

const FAR = 160; // px: who has scrolled so far reads, and is not to be disturbed

/** Return whether somebody reads further down. */
export function isFarDown() {
  return scrollY > FAR;
}

/**
 * Make the button, which is hidden while nothing waits.
 *
 * @param {() => void} show what waits, as somebody wants to see it, from the top on
 */
export function makeFresh(show) {
  const act = () => {
    scrollTo({ top: 0 });
    show();
  };
  const node = el("button", { type: "button", class: "primary small", hidden: true, on: { click: act } });
  return {
    node,
    hide() {
      node.hidden = true;
    },
    /**
     * Say how many of the keys of one page are new, and return it.
     *
     * @param {readonly string[]} keys
     * @param {Iterable<string | undefined>} known
     * @param {number} take of a page, behind which there may be more
     */
    tell(keys, known, take) {
      const before = new Set(known);
      const count = keys.filter((key) => !before.has(key)).length;
      node.hidden = count === 0;
      if (count > 0) say(node, `${count}${count === take ? "+" : ""} new`);
      return count;
    },
  };
}
