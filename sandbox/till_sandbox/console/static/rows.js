/** Lists on the page that follow lists of the control API: a row, cloned from a <template>, for each thing. */

/**
 * A word with a tone is shown as a badge; a moment is shown as a time.
 * @typedef {string | { text: string, tone?: string, at?: number }} Said
 */

/**
 * @template {Record<string, any>} Thing
 * @typedef {object} Listing
 * @property {string} name  of the list (data-list), of its template (<name>-row), and of the list in the answer
 * @property {(thing: Thing) => string} key  the same for the same thing
 * @property {(thing: Thing) => string} title  what its buttons are about
 * @property {(thing: Thing) => Record<string, Said>} texts  what stands where, by data-of
 * @property {Record<string, (thing: Thing, said: FormData) => Promise<string>>} [actions]  what its buttons and forms
 *   do, by data-do; the answer is a sentence about what was done
 * @property {(thing: Thing) => boolean} [open]  whether the buttons beside it are of any use
 * @property {(thing: Thing, row: HTMLElement) => void} [inside]  fills in what is shown when a row is opened
 */

/** @typedef {(action: () => Promise<string>) => Promise<void>} Run */

/** What a row is about now; buttons made long ago ask here. @type {WeakMap<HTMLElement, any>} */
const things = new WeakMap();

/**
 * Make the list on the page say what the answer says. Rows that are there stay where they are, so that what is open,
 * focused or selected in them stays so. A row that is in use stays even when it is no longer among the newest.
 * @template {Record<string, any>} Thing
 * @param {Listing<Thing>} listing
 * @param {Thing[]} answer
 * @param {boolean} cut  whether there are more than the answer says
 * @param {Run} run
 */
export function follow(listing, answer, cut, run) {
  const list = /** @type {HTMLElement} */ (document.querySelector(`[data-list="${listing.name}"]`));
  const rows = rowsOf(list);
  const known = new Map(rows.map((row) => [row.dataset.key, row]));
  const wanted = answer.map((thing) => {
    const row = known.get(listing.key(thing)) ?? cloned(listing, thing, run);
    show(listing, thing, row);
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

/** Forget the rows of every list: other ones are asked for. */
export function clear() {
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-list] > [data-key]"))) {
    remove(row);
  }
}

/** Whoever was in it goes on from the heading of its list. @param {HTMLElement} row */
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
 * @template {Record<string, any>} Thing
 * @param {Listing<Thing>} listing
 * @param {Thing} thing
 * @param {HTMLElement} row
 */
function show(listing, thing, row) {
  things.set(row, thing);
  say(row, listing.texts(thing));
  if (row.querySelector('[aria-expanded="true"]')) listing.inside?.(thing, row);
  const focused = document.activeElement;
  const open = listing.open?.(thing) ?? true;
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (row.querySelectorAll("[data-do]:not([data-do=follow])"))) {
    part.hidden = !open;
  }
  // Who pressed a button that is of no more use goes on from the row's heading.
  if (!open && focused && row.contains(focused) && focused.closest("[hidden]")) {
    /** @type {HTMLElement | null} */ (row.querySelector(".toggle, [tabindex]"))?.focus();
  }
}

/**
 * @template {Record<string, any>} Thing
 * @param {Listing<Thing>} listing
 * @param {Thing} thing
 * @param {Run} run
 */
function cloned(listing, thing, run) {
  const row = copyOf(`${listing.name}-row`);
  row.dataset.key = listing.key(thing);
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (row.querySelectorAll("[data-do]"))) {
    const action = listing.actions?.[part.dataset.do ?? ""];
    if (!action) continue;
    const form = part instanceof HTMLFormElement ? part : undefined;
    const button = form?.querySelector("button") ?? part;
    button.setAttribute("aria-label", `${button.textContent}: ${listing.title(thing)}`);
    part.addEventListener(form ? "submit" : "click", (event) => {
      event.preventDefault();
      void run(() => action(things.get(row), new FormData(form)));
    });
  }
  const toggle = row.querySelector(".toggle");
  toggle?.addEventListener("click", () => {
    const open = toggle.getAttribute("aria-expanded") !== "true";
    toggle.setAttribute("aria-expanded", String(open));
    /** @type {HTMLElement} */ (row.lastElementChild).hidden = !open;
    if (open) listing.inside?.(things.get(row), row);
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
 * @param {Record<string, Said>} texts
 */
export function say(row, texts) {
  for (const [name, said] of Object.entries(texts)) {
    const place = /** @type {HTMLElement | null} */ (row.querySelector(`[data-of="${name}"]`));
    const { text, tone, at } = typeof said === "string" ? { text: said } : said;
    if (!place) continue;
    if (place.textContent !== text) place.textContent = text;
    if (tone) place.dataset.tone = tone;
    if (at !== undefined) place.setAttribute("datetime", new Date(at * 1000).toISOString());
  }
}
