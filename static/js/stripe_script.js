// Stripe.js comes from its own address only and may be blocked, slow or broken on the way.

/** @import { StripeConstructor } from "@stripe/stripe-js" */

export class ScriptBlocked extends Error {}

/**
 * Load Stripe.js. A script that was loaded before is used again; after a failure it may be tried again.
 *
 * @param {string} address
 * @param {number} timeout  milliseconds
 * @returns {Promise<StripeConstructor>} rejects with ScriptBlocked
 */
export function loadStripe(address, timeout) {
  const loaded = window.Stripe;
  if (loaded) return Promise.resolve(loaded);
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const giveUp = () => {
      script.remove();
      reject(new ScriptBlocked(address));
    };
    const clock = setTimeout(giveUp, timeout);
    script.src = address;
    script.addEventListener("error", () => {
      clearTimeout(clock);
      giveUp();
    });
    script.addEventListener("load", () => {
      clearTimeout(clock);
      if (window.Stripe) resolve(window.Stripe);
      else giveUp();
    });
    document.head.append(script);
  });
}
