// The drawer of test cards. A click puts a card into the field where the payment service lets us, and copies it elsewhere.

import { cardOf, sandboxHands } from "../sandbox_hands.js";
import { showMatching } from "../word_filter.js";

/** @param {HTMLElement} root */
export function start(root) {
  /** @template {HTMLElement} E @param {string} name */
  const part = (name) => /** @type {E} */ (root.querySelector(`[data-part="${name}"]`));
  const drawer = /** @type {HTMLDialogElement} */ (part("drawer"));
  const search = /** @type {HTMLInputElement} */ (part("search"));

  part("open").hidden = false;
  part("open").addEventListener("click", () => {
    filter();
    drawer.showModal();
  });
  part("close").addEventListener("click", () => drawer.close());
  // A click beside the drawer lands on the dialog itself.
  drawer.addEventListener("click", (event) => event.target === drawer && drawer.close());
  search.addEventListener("input", filter);
  part("list").addEventListener("click", (event) => {
    const card = event.target instanceof Element ? event.target.closest("button") : null;
    if (card) void take(card);
  });

  function filter() {
    const found = showMatching(part("list"), search.value, { entry: "[data-part=card]", group: "[data-part=group]" });
    part("count").textContent = `${found} ${found === 1 ? "card" : "cards"}.`;
    part("none").hidden = found > 0;
  }

  /** @param {HTMLElement} card */
  async function take(card) {
    const { number } = cardOf(card);
    const filled = sandboxHands(window)?.fill(cardOf(card)) ?? false;
    const says = filled ? "filled" : (await copy(number)) ? "copied" : "by-hand";
    drawer.close();
    say(says, number);
  }

  /** @param {string} what @param {string} number */
  function say(what, number) {
    const words = /** @type {HTMLTemplateElement} */ (root.querySelector(`template[data-says="${what}"]`));
    const said = words.content.cloneNode(true);
    part("said").replaceChildren(said);
    const place = part("said").querySelector("[data-part=number]");
    if (place) place.textContent = number;
  }
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
