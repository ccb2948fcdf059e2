import { warn } from "./errors.js";
import { VERSION, createStripe } from "./stripe.js";

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

if ("Stripe" in window && typeof window.Stripe === "function") {
  warn("It looks like Stripe.js was loaded more than one time. Please only load it once per page.");
} else {
  Object.defineProperty(window, "Stripe", { value: Stripe, writable: true, configurable: true, enumerable: true });
}
