/**
 * Make elements: text is always text, so that nothing that somebody wrote into a prompt becomes markup.
 *
 * @module
 */

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {Record<string, unknown>} Props */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an HTML element. Props are attributes; `on` has listeners by event, `style` has CSS properties by name (set by
 * script, as the policy refuses style attributes), and what is null, undefined or false is left out.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Props} [props]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  apply(node, props);
  append(node, children);
  return node;
}

/**
 * Make an SVG element, as `el` does.
 *
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Props} [props]
 * @param {...(Child | Child[])} children
 * @returns {SVGElementTagNameMap[T]}
 */
export function svg(tag, props = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  apply(node, props);
  append(node, children);
  return node;
}

/**
 * Put children into the place of all that a node has.
 *
 * @param {Element} node
 * @param {...(Child | Child[])} children
 */
export function fill(node, ...children) {
  node.replaceChildren();
  append(node, children);
}

/**
 * Scroll a row of links or tabs sideways so that one of them is seen; `scrollIntoView` would have Tab begin there.
 *
 * @param {HTMLElement} row
 * @param {Element | null} one
 */
export function reveal(row, one) {
  if (one instanceof HTMLElement) row.scrollLeft = one.offsetLeft - row.offsetLeft - (row.clientWidth - one.offsetWidth) / 2;
}

/**
 * Set a text if it is another one: a selection or a screen reader is not disturbed for nothing.
 *
 * @param {Element} node
 * @param {string | number} text
 */
export function say(node, text) {
  if (node.textContent !== String(text)) node.textContent = String(text);
}

/**
 * Keep one child for each item, in the order of the items: those that stay keep their focus, selection and scroll.
 *
 * @template T
 * @param {Element} parent
 * @param {readonly T[]} items
 * @param {{key: (item: T) => string, make: (item: T) => HTMLElement, update?: (node: HTMLElement, item: T) => void}} how
 */
export function keyed(parent, items, { key, make, update }) {
  /** @type {Map<string, HTMLElement>} */
  const old = new Map();
  for (const child of parent.children) {
    if (child instanceof HTMLElement && child.dataset.key !== undefined) old.set(child.dataset.key, child);
  }
  /** @type {Element | null} */
  let next = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let node = old.get(name);
    if (node) {
      old.delete(name);
      update?.(node, item);
    } else {
      node = make(item);
      node.dataset.key = name;
    }
    if (node === next) next = next.nextElementSibling;
    else parent.insertBefore(node, next);
  }
  for (const left of old.values()) left.remove();
}

/**
 * @param {Element} node
 * @param {Props} props
 */
function apply(node, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(/** @type {Record<string, EventListener>} */ (value))) {
        node.addEventListener(event, listener);
      }
    } else if (name === "style") {
      const style = /** @type {HTMLElement | SVGElement} */ (node).style;
      for (const [property, text] of Object.entries(/** @type {Record<string, string>} */ (value))) {
        style.setProperty(property, text);
      }
    } else {
      node.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

/**
 * @param {Element} node
 * @param {readonly unknown[]} children
 */
function append(node, children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
}
