/**
 * All pages, in the order of the navigation; a new one is a module in `pages/`, and an entry here.
 *
 * `key` is the letter that leads to it behind `g`.
 *
 * @module
 */

/**
 * @typedef {object} Context what a page gets when it is opened
 * @property {HTMLElement} node is the place of the page, below its heading
 * @property {HTMLElement} actions is the place of buttons, beside the heading
 * @property {AbortSignal} signal ends all that the page does, when it is left
 * @property {import("./router.js").Place} place
 * @property {(title: string) => void} setTitle puts something else than the name of the page into heading and title
 * @property {(command: () => string) => void} setCurl says how curl gets what the page shows
 * @property {(show: (place: import("./router.js").Place) => void) => void} onPlace takes on another address of the same
 *   page; a page that does not say what is to be done then is opened anew
 */

/** @typedef {{open: (context: Context) => unknown}} PageModule */
/** @typedef {{name: string, title: string, key: string, load: () => Promise<PageModule>}} PageEntry */

/** @type {readonly PageEntry[]} */
export const PAGES = [
  { name: "queue", title: "Queue", key: "q", load: () => import("./pages/queue.js") },
  { name: "jobs", title: "Jobs", key: "j", load: () => import("./pages/jobs.js") },
  { name: "graph", title: "Graph", key: "h", load: () => import("./pages/graph.js") },
  { name: "pictures", title: "Pictures", key: "p", load: () => import("./pages/pictures.js") },
  { name: "workers", title: "Workers", key: "w", load: () => import("./pages/workers.js") },
  { name: "resources", title: "Resources", key: "r", load: () => import("./pages/resources.js") },
  { name: "journal", title: "Journal", key: "o", load: () => import("./pages/journal.js") },
  { name: "faults", title: "Faults", key: "f", load: () => import("./pages/faults.js") },
  { name: "clock", title: "Clock", key: "c", load: () => import("./pages/clock.js") },
  { name: "fleet", title: "Fleet", key: "l", load: () => import("./pages/fleet.js") },
  { name: "settings", title: "Settings", key: "s", load: () => import("./pages/settings.js") },
];

/** @param {string} name */
export function findPage(name) {
  return PAGES.find((page) => page.name === name);
}
