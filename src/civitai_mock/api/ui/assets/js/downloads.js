/**
 * Save something as a file.
 *
 * @module
 */
import { el } from "./el.js";

const KEPT_MS = 10_000; // the browser reads it after the click

/**
 * @param {string} name
 * @param {BlobPart} content
 * @param {string} type
 */
export function download(name, content, type) {
  downloadBlob(name, new Blob([content], { type }));
}

/**
 * @param {string} name
 * @param {Blob} content
 */
export function downloadBlob(name, content) {
  const url = URL.createObjectURL(content);
  const link = el("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
