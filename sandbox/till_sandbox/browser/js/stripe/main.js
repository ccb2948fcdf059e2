import { answerChallenge } from "./challenge.js";
import { fillFields } from "./mounted-element.js";
import { warn } from "./errors.js";
import { VERSION } from "./origin.js";
import { createStripe } from "./stripe.js";

/**
 * What a page finds as `Stripe` once this script has loaded.
 *
 * @param {string} publishableKey
 * @param {import("@stripe/stripe-js").StripeConstructorOptions} [options]
 */
function Stripe(publishableKey, options) {
  return createStripe(publishableKey, options);
}

Stripe.version = VERSION;

/**
 * What only the sandbox lets a page do, so that test cards can be tried without typing: `fill({number, expiry, cvc,
 * postal})` types a card into the mounted fields, `answer("complete" | "fail")` decides the bank's challenge. Each
 * returns whether there was something to fill in or to decide. Nothing of a card comes back out of a field.
 */
Stripe.sandbox = Object.freeze({ fill: fillFields, answer: answerChallenge });

if ("Stripe" in window && typeof window.Stripe === "function") {
  warn("It looks like Stripe.js was loaded more than one time. Please only load it once per page.");
} else {
  Object.defineProperty(window, "Stripe", { value: Stripe, writable: true, configurable: true, enumerable: true });
}
