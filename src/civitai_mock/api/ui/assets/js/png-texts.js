/**
 * The texts that a PNG file has in it: what was asked for, and the graph that made it.
 *
 * @module
 */

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const LATIN = new TextDecoder("latin1");
const UTF8 = new TextDecoder();

/**
 * @param {ArrayBuffer} content
 * @returns {{keyword: string, text: string}[]} nothing for a file that is none, or that is cut off
 */
export function pngTexts(content) {
  const bytes = new Uint8Array(content);
  const view = new DataView(content);
  if (!SIGNATURE.every((byte, place) => bytes[place] === byte)) return [];
  const found = [];
  for (let at = SIGNATURE.length; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const kind = LATIN.decode(bytes.subarray(at + 4, at + 8));
    if (at + 12 + length > bytes.length) break;
    const text = textOf(kind, bytes.subarray(at + 8, at + 8 + length));
    if (text) found.push(text);
    at += 12 + length;
  }
  return found;
}

/**
 * @param {string} kind
 * @param {Uint8Array} body
 */
function textOf(kind, body) {
  const end = body.indexOf(0);
  if (end < 0) return null;
  const keyword = LATIN.decode(body.subarray(0, end));
  if (kind === "tEXt") return { keyword, text: LATIN.decode(body.subarray(end + 1)) };
  if (kind !== "iTXt" || body[end + 1] === 1) return null; // a packed one is not written here
  const language = body.indexOf(0, end + 3);
  const translated = body.indexOf(0, language + 1);
  return language < 0 || translated < 0 ? null : { keyword, text: UTF8.decode(body.subarray(translated + 1)) };
}
