// What the sandbox's Stripe.js lets a page do that Stripe's own never would: fill the card field, answer the bank.
// sandbox/README.md describes it. Real Stripe has nothing like it, so people type.

/**
 * A card as it is typed.
 *
 * @typedef {{ number: string, expiry: string, cvc: string, postal: string }} TypedCard
 *
 * @typedef {object} SandboxAutofill
 * @property {(card: TypedCard) => boolean} fill  types a card into the card fields; false when none takes it now
 * @property {(answer: "complete" | "fail") => boolean} answer  to the open 3-D Secure question; false when there is none
 */

/**
 * @param {Window} view  the window whose Stripe.js is meant
 * @returns {SandboxAutofill | null} null unless that window has loaded the sandbox's Stripe.js
 */
export function sandboxAutofill(view) {
  const { Stripe } = /** @type {{ Stripe?: { sandbox?: SandboxAutofill } }} */ (/** @type {unknown} */ (view));
  return Stripe?.sandbox ?? null;
}

/**
 * The card that an element carries as data.
 *
 * @param {HTMLElement} element
 * @returns {TypedCard}
 */
export function cardOf({ dataset: { number = "", expiry = "", cvc = "", postal = "" } }) {
  return { number, expiry, cvc, postal };
}
