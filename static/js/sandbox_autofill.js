// What the sandbox's Stripe.js lets a page do that Stripe's own never would: fill the card field, answer the bank.
// sandbox/README.md describes it. With real Stripe there are no such hands, and people use their own.

/**
 * A card as it is typed.
 *
 * @typedef {{ number: string, expiry: string, cvc: string, postal: string }} TypedCard
 *
 * @typedef {object} SandboxHands
 * @property {(card: TypedCard) => boolean} fill  types a card into the card fields; false when none takes it now
 * @property {(answer: "complete" | "fail") => boolean} answer  to the open 3-D Secure question; false when there is none
 */

/**
 * @param {Window} view  the window whose Stripe.js is meant
 * @returns {SandboxHands | null} null unless that window has loaded the sandbox's Stripe.js
 */
export function sandboxHands(view) {
  const { Stripe } = /** @type {{ Stripe?: { sandbox?: SandboxHands } }} */ (/** @type {unknown} */ (view));
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
