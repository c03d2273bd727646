/**
 * Export all resources into a file, and import those of one: what is new is added, what is there is replaced.
 *
 * @module
 */
import { ApiError, change, curl, listed } from "../api.js";
import { download } from "../downloads.js";
import { el, say } from "../el.js";
import { number } from "../format.js";
import { attempt, confirmed, failed, told } from "../notices.js";
import { readJson } from "../read-json.js";
import { namespace } from "../router.js";

const PATH = "resources";
const HTTP_CONFLICT = 409;

/**
 * Make the buttons that export and import.
 *
 * @param {() => unknown} reload the list shows something else then
 * @returns {HTMLElement[]}
 */
export function transferButtons(reload) {
  const file = el("input", { type: "file", accept: ".json,application/json", class: "offscreen", tabindex: "-1", "aria-label": "Resources to import" });
  const choose = el("button", { type: "button", class: "small", on: { click: () => file.click() } }, "Import …");
  file.addEventListener("change", async () => {
    const chosen = file.files?.[0];
    file.value = "";
    if (!chosen) return;
    choose.disabled = true;
    await importFrom(chosen, (text) => say(choose, text));
    choose.disabled = false;
    say(choose, "Import …");
    await reload();
  });
  return [el("button", { type: "button", class: "small", on: { click: () => void exportAll() } }, "Export"), file, choose];
}

function exportAll() {
  return attempt(
    async () => {
      const all = [];
      for await (const page of listed(PATH)) all.push(...page);
      download("resources.json", JSON.stringify(all, null, 2), "application/json");
      return all.length;
    },
    (count) => `${named(count)} exported.`,
  );
}

/**
 * @param {File} file
 * @param {(text: string) => void} tell says how far it is
 */
async function importFrom(file, tell) {
  const text = await attempt(() => file.text());
  if (text === undefined) return;
  const content = readJson(text, `${file.name} is not JSON`);
  if (content === undefined) return;
  const documents = documentsIn(content);
  if (documents.length === 0) {
    failed(new ApiError(`${file.name} has no resource`, { kind: "file", detail: "Expected a list of resources, or one resource." }));
    return;
  }
  const about = {
    title: `Import ${named(documents.length)}?`,
    text: `They come from ${file.name}. What is new is added, and what is here with the same AIR is replaced.`,
    label: "Import",
    curl: () => documents.map(commandFor).join("\n"),
  };
  if (await confirmed(about)) await putAll(documents, tell);
}

/**
 * Return the documents of an export, of an answer of the list, or the one that is there.
 *
 * @param {any} content
 * @returns {any[]}
 */
function documentsIn(content) {
  if (Array.isArray(content)) return content;
  return content && !content.air && Array.isArray(content.items) ? content.items : [content];
}

/**
 * Send one document after the other, and tell what came of them; what was done stays if the server goes away meanwhile.
 *
 * @param {any[]} documents
 * @param {(text: string) => void} tell
 */
async function putAll(documents, tell) {
  const inNamespace = namespace(); // also if somebody goes into another one meanwhile
  const done = { added: 0, replaced: 0 };
  /** @type {Record<string, string[]>} */
  const refused = {};
  try {
    for (const [at, document] of documents.entries()) {
      tell(`Importing ${number(at + 1)} of ${number(documents.length)} …`);
      try {
        done[await put(document, inNamespace)] += 1;
      } catch (error) {
        if (!(error instanceof ApiError && error.kind === "http")) throw error;
        const name = typeof document?.air === "string" ? document.air : `resource ${number(at + 1)}`;
        (refused[name] ??= []).push(reasonOf(error));
      }
    }
  } catch (error) {
    failed(error);
  }
  told(`${named(done.added)} added, ${number(done.replaced)} replaced.`);
  const count = Object.values(refused).flat().length;
  if (count) failed(new ApiError(`${named(count)} refused`, { kind: "http", errors: refused }));
}

/**
 * @param {any} document
 * @param {string} inNamespace
 * @returns {Promise<"added" | "replaced">}
 */
async function put(document, inNamespace) {
  try {
    await change("POST", PATH, document, { inNamespace });
    return "added";
  } catch (error) {
    if (!(error instanceof ApiError && error.status === HTTP_CONFLICT)) throw error;
  }
  await change("PUT", pathOf(document), document, { inNamespace });
  return "replaced";
}

/** @param {ApiError} error */
function reasonOf(error) {
  const lines = Object.entries(error.errors).flatMap(([path, texts]) => texts.map((text) => (path ? `${path}: ${text}` : text)));
  return lines.join(" ") || error.detail || error.message;
}

/** @param {any} document */
function pathOf(document) {
  return `${PATH}/${encodeURIComponent(document?.air ?? "")}`;
}

/**
 * Return what a terminal does for one document: add it, or put it into its place.
 *
 * @param {any} document
 */
function commandFor(document) {
  const [add, replace] = [curl("POST", `_mock/${PATH}`, { body: document }), curl("PUT", `_mock/${pathOf(document)}`, { body: document })];
  return `${add.replace("curl -s", "curl -sf")} || ${replace}`;
}

/** @param {number} count */
function named(count) {
  return count === 1 ? "1 resource" : `${number(count)} resources`;
}
