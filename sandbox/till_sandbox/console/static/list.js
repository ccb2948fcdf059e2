/** Lists on the page that show lists of the control API: a row, cloned from a <template>, for each item. */

/**
 * What stands in one place of a row. `tone` colours a badge; `at` is the time, in seconds, that the text says; `href` is
 * where a link leads, nowhere if it is empty.
 * @typedef {string | { text: string, tone?: string, at?: number, href?: string }} Text
 */

/**
 * @template {Record<string, any>} Item
 * @typedef {object} Listing
 * @property {string} name  of the list (data-list), of its template (<name>-row), and of the list in the response
 * @property {(item: Item) => string} key  the same for the same item
 * @property {(item: Item) => string} title  what its buttons are about
 * @property {(item: Item) => Record<string, Text>} texts  what stands where, by data-of
 * @property {Record<string, (item: Item, form: FormData) => Promise<string>>} [actions]  what its buttons and forms
 *   do, by data-do; resolves with a sentence about what was done
 * @property {(item: Item) => boolean} [open]  whether its buttons can still do something
 * @property {(item: Item, row: HTMLElement) => void} [details]  fills in what is shown when a row is opened
 */

/** @typedef {(action: () => Promise<string>) => Promise<void>} Run */

/** The item that a row shows now, for its buttons. @type {WeakMap<HTMLElement, any>} */
const items = new WeakMap();

/**
 * Make the list on the page show these items. Rows that are there stay where they are, so that what is open,
 * focused or selected in them stays so. A row that is in use stays even when it is no longer among the newest.
 * @template {Record<string, any>} Item
 * @param {Listing<Item>} listing
 * @param {Item[]} newest
 * @param {boolean} cut  whether there are more than these
 * @param {Run} run
 */
export function updateList(listing, newest, cut, run) {
  const list = /** @type {HTMLElement} */ (document.querySelector(`[data-list="${listing.name}"]`));
  const rows = rowsOf(list);
  const known = new Map(rows.map((row) => [row.dataset.key, row]));
  const wanted = newest.map((item) => {
    const row = known.get(listing.key(item)) ?? createRow(listing, item, run);
    updateRow(listing, item, row);
    return row;
  });
  for (const row of rows) if (!wanted.includes(row) && !(cut && inUse(row))) remove(row);
  wanted.forEach((row, place) => {
    const there = rowsOf(list)[place] ?? null;
    if (there !== row) list.insertBefore(row, there);
  });
  const table = list.closest("table");
  if (table) table.hidden = rowsOf(list).length === 0;
}

/** Remove the rows of every list: other ones are read next. */
export function clearLists() {
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-list] > [data-key]"))) {
    remove(row);
  }
}

/** The focus, if it was in the row, goes to the heading of its list. @param {HTMLElement} row */
function remove(row) {
  if (row.contains(document.activeElement)) row.closest("section")?.querySelector("h2")?.focus();
  row.remove();
}

/** @param {HTMLElement} list */
function rowsOf(list) {
  return /** @type {HTMLElement[]} */ ([...list.querySelectorAll(":scope > [data-key]")]);
}

/** @param {HTMLElement} row */
function inUse(row) {
  return row.contains(document.activeElement) || row.querySelector('[aria-expanded="true"]') !== null;
}

/**
 * @template {Record<string, any>} Item
 * @param {Listing<Item>} listing
 * @param {Item} item
 * @param {HTMLElement} row
 */
function updateRow(listing, item, row) {
  items.set(row, item);
  setTexts(row, listing.texts(item));
  if (row.querySelector('[aria-expanded="true"]')) listing.details?.(item, row);
  const focused = document.activeElement;
  const open = listing.open?.(item) ?? true;
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (row.querySelectorAll("[data-do]:not([data-do=follow])"))) {
    part.hidden = !open;
  }
  // The focus leaves a button that is hidden now for the row's heading.
  if (!open && focused && row.contains(focused) && focused.closest("[hidden]")) {
    /** @type {HTMLElement | null} */ (row.querySelector(".toggle, [tabindex]"))?.focus();
  }
}

/**
 * @template {Record<string, any>} Item
 * @param {Listing<Item>} listing
 * @param {Item} item
 * @param {Run} run
 */
function createRow(listing, item, run) {
  const row = copyOf(`${listing.name}-row`);
  row.dataset.key = listing.key(item);
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (row.querySelectorAll("[data-do]"))) {
    const action = listing.actions?.[part.dataset.do ?? ""];
    if (!action) continue;
    const form = part instanceof HTMLFormElement ? part : undefined;
    const button = form?.querySelector("button") ?? part;
    button.setAttribute("aria-label", `${button.textContent}: ${listing.title(item)}`);
    part.addEventListener(form ? "submit" : "click", (event) => {
      event.preventDefault();
      void run(() => action(items.get(row), new FormData(form)));
    });
  }
  const toggle = row.querySelector(".toggle");
  toggle?.addEventListener("click", () => {
    const open = toggle.getAttribute("aria-expanded") !== "true";
    toggle.setAttribute("aria-expanded", String(open));
    /** @type {HTMLElement} */ (row.lastElementChild).hidden = !open;
    if (open) listing.details?.(items.get(row), row);
  });
  return row;
}

/** @param {string} template */
export function copyOf(template) {
  const { content } = /** @type {HTMLTemplateElement} */ (document.getElementById(template));
  return /** @type {HTMLElement} */ (content.firstElementChild?.cloneNode(true));
}

/**
 * Write texts where they belong; what stands there already is not touched, so that a selection in it stays.
 * @param {HTMLElement} row
 * @param {Record<string, Text>} texts
 */
export function setTexts(row, texts) {
  for (const [name, value] of Object.entries(texts)) {
    const place = /** @type {HTMLElement | null} */ (row.querySelector(`[data-of="${name}"]`));
    const { text, tone, at, href } = typeof value === "string" ? { text: value } : value;
    if (!place) continue;
    if (place.textContent !== text) place.textContent = text;
    if (tone) place.dataset.tone = tone;
    if (href) place.setAttribute("href", href);
    else if (href === "") place.removeAttribute("href");
    if (at !== undefined) place.setAttribute("datetime", new Date(at * 1000).toISOString());
  }
}
