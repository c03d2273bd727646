/**
 * Read the JSON that somebody wrote into a field of a page.
 *
 * @module
 */
import { failed } from "./notices.js";

/**
 * Return the value; undefined if the text is not JSON, which is told.
 *
 * @param {string} text
 * @param {string} complaint what is told, before what is wrong with the text
 * @returns {any}
 */
export function readJson(text, complaint) {
  try {
    return JSON.parse(text);
  } catch (error) {
    failed(new Error(`${complaint}: ${error instanceof Error ? error.message : error}`));
    return undefined;
  }
}
