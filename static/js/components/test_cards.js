// The button that opens the drawer of test cards, which is loaded then. A card that is taken is copied, and put into the
// field where the payment service lets us.

import { cardOf, sandboxAutofill } from "../sandbox_autofill.js";
import { TestCardDrawer } from "./test_card_drawer.js";

/** @param {HTMLElement} root */
export function start(root) {
  /** @param {string} name */
  const part = (name) => /** @type {HTMLElement} */ (root.querySelector(`[data-part="${name}"]`));
  const open = part("open");
  /** @type {Promise<TestCardDrawer> | undefined} */
  let drawer;

  part("page").hidden = true;
  open.hidden = false;
  open.addEventListener("click", async () => {
    open.ariaBusy = "true";
    try {
      (await (drawer ??= load())).open();
    } catch {
      drawer = undefined; // the next click tries again
      say("not-loaded");
    } finally {
      open.ariaBusy = null;
    }
  });

  async function load() {
    const dialog = await TestCardDrawer.load(root.dataset.drawer ?? "", root);
    return new TestCardDrawer(dialog, (card) => void take(card));
  }

  /** Copied first: while the page has the focus, which the card field may take. @param {HTMLElement} card */
  async function take(card) {
    const { number, expiry, cvc } = cardOf(card);
    const copied = await copy(number);
    const filled = sandboxAutofill(window)?.fill(cardOf(card)) ?? false;
    (await drawer)?.close();
    // Any later date and any code will do, unless they are what is wrong with the card.
    const says = filled ? (copied ? "filled" : "only-filled") : copied ? "copied" : "by-hand";
    say(says, { number, with: card.dataset.refused !== undefined ? ` with ${expiry} and ${cvc}` : "" });
  }

  /** @param {string} what @param {Record<string, string>} facts  texts for the named parts of the sentence */
  function say(what, facts = {}) {
    const words = /** @type {HTMLTemplateElement} */ (root.querySelector(`template[data-says="${what}"]`));
    part("said").replaceChildren(words.content.cloneNode(true));
    for (const [name, text] of Object.entries(facts)) {
      const place = part("said").querySelector(`[data-part=${name}]`);
      if (place) place.textContent = text;
    }
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
