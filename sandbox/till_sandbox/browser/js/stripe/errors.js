/** Thrown, or rejected with, when Stripe.js is used wrongly: a bug in the page, never the shopper's doing. */
export class IntegrationError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "IntegrationError";
  }
}

/**
 * @typedef {import("@stripe/stripe-js").StripeError} StripeError
 * @typedef {{error: StripeError}} Failure what a promise of Stripe.js resolves with when a payment did not go well
 */

/**
 * @param {string} message
 */
export function warn(message) {
  console.warn(`[Stripe.js] ${message}`);
}

/**
 * Shows a wrong argument in an error message, the way it stands in the source.
 *
 * @param {unknown} value
 */
export function show(value) {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
}
