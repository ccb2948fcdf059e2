// The drawer of test cards: a dialog with all of them, and a search. A card that is taken is copied, and put into the
// field where the payment service lets us.

import { cardOf, sandboxAutofill } from "../sandbox_autofill.js";
import { showMatching } from "../word_filter.js";

/**
 * @param {HTMLElement} root  what the drawer is in, and where it is said what became of a card
 * @returns {() => void} opens it
 */
export function startTestCardDrawer(root) {
  /** @template {HTMLElement} E @param {string} name */
  const part = (name) => /** @type {E} */ (root.querySelector(`[data-part="${name}"]`));
  const drawer = /** @type {HTMLDialogElement} */ (part("drawer"));
  const search = /** @type {HTMLInputElement} */ (part("search"));
  const everything = part("count").textContent ?? "";

  part("close").addEventListener("click", () => drawer.close());
  // A click beside the drawer lands on the dialog itself.
  drawer.addEventListener("click", (event) => event.target === drawer && drawer.close());
  search.addEventListener("input", filter);
  search.addEventListener("keydown", (event) => {
    const first = part("list").querySelector("[data-part=card]:not([hidden]) button");
    if (event.key !== "Enter" || event.isComposing || !search.value.trim() || !(first instanceof HTMLElement)) return;
    event.preventDefault();
    void take(first);
  });
  part("list").addEventListener("click", (event) => {
    const card = event.target instanceof Element ? event.target.closest("button") : null;
    if (card) void take(card);
  });

  function open() {
    filter();
    drawer.showModal();
    // Not on a telephone, where the keyboard would cover the cards.
    if (matchMedia("(pointer: fine)").matches) search.select();
  }

  function filter() {
    const found = showMatching(part("list"), search.value, { entry: "[data-part=card]", group: "[data-part=group]" });
    part("count").textContent = search.value.trim() ? `${found} found.` : everything;
    part("none").hidden = found > 0;
  }

  /** Copied first: while the page has the focus, which the card field may take. @param {HTMLElement} card */
  async function take(card) {
    const { number, expiry, cvc } = cardOf(card);
    const copied = await copy(number);
    const filled = sandboxAutofill(window)?.fill(cardOf(card)) ?? false;
    drawer.close();
    // Any later date and any code will do, unless they are what is wrong with the card.
    const says = filled ? (copied ? "filled" : "only-filled") : copied ? "copied" : "by-hand";
    say(says, number, card.dataset.refused !== undefined ? ` with ${expiry} and ${cvc}` : "");
  }

  /** @param {string} what @param {string} number @param {string} rest */
  function say(what, number, rest) {
    const words = /** @type {HTMLTemplateElement} */ (root.querySelector(`template[data-says="${what}"]`));
    part("said").replaceChildren(words.content.cloneNode(true));
    for (const [name, text] of Object.entries({ number, with: rest })) {
      const place = part("said").querySelector(`[data-part=${name}]`);
      if (place) place.textContent = text;
    }
  }

  return open;
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // not allowed, or not a secure page
  }
}
