/** Tables that follow a list: one row, cloned from a <template>, for each thing in it. */

/**
 * @template {Record<string, any>} Thing
 * @typedef {object} Listing
 * @property {string} name  of the table, of its template (<name>-row), and of the list in the answer
 * @property {(thing: Thing) => Record<string, string>} texts  what the cells say, by their data-of
 * @property {(thing: Thing) => string} key  the same for the same thing
 * @property {Record<string, (thing: Thing) => Promise<any>>} [actions]  what the buttons do, by their data-do
 * @property {(thing: Thing) => boolean} [open]  whether the buttons are of any use
 */

/**
 * Make the table say what the list says. Rows that are there stay, so that what is open or focused in them stays too.
 * @template {Record<string, any>} Thing
 * @param {Listing<Thing>} listing
 * @param {Thing[]} things
 * @param {(action: () => Promise<any>) => void} run
 */
export function follow(listing, things, run) {
  const body = /** @type {HTMLTableSectionElement} */ (document.querySelector(`#${listing.name} tbody`));
  const rows = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  const wanted = things.map((thing) => {
    const row = rows.get(listing.key(thing)) ?? cloned(listing, thing, run);
    for (const [name, text] of Object.entries(listing.texts(thing))) say(row, name, text);
    const open = listing.open?.(thing) ?? true;
    for (const button of row.querySelectorAll("button")) button.hidden = !open;
    return row;
  });
  if (wanted.some((row, place) => body.rows[place] !== row) || body.rows.length !== wanted.length) {
    body.replaceChildren(...wanted);
  }
}

/**
 * @template {Record<string, any>} Thing
 * @param {Listing<Thing>} listing
 * @param {Thing} thing
 * @param {(action: () => Promise<any>) => void} run
 */
function cloned(listing, thing, run) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(`${listing.name}-row`));
  const row = /** @type {HTMLTableRowElement} */ (template.content.firstElementChild?.cloneNode(true));
  row.dataset.key = listing.key(thing);
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (row.querySelectorAll("button[data-do]"))) {
    const action = listing.actions?.[button.dataset.do ?? ""];
    if (action) button.addEventListener("click", () => run(() => action(thing)));
  }
  return row;
}

/**
 * @param {HTMLElement} row
 * @param {string} name
 * @param {string} text
 */
function say(row, name, text) {
  const cell = row.querySelector(`[data-of="${name}"]`);
  if (cell && cell.textContent !== text) cell.textContent = text;
}
