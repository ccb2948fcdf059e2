// Stripe.js comes from its own address only and may be blocked, slow or broken on the way.

/** @import { StripeConstructor } from "@stripe/stripe-js" */

export class ScriptBlocked extends Error {}

/** Scripts that are on their way. @type {Promise<StripeConstructor>[]} */
let pending = [];

/**
 * Load Stripe.js. A script that was loaded before is used again; one that is still on its way is asked for once more, and
 * whichever comes first is taken.
 *
 * @param {string} address
 * @returns {Promise<StripeConstructor>} rejects with ScriptBlocked; may take as long as the network lets it
 */
export async function loadStripe(address) {
  if (window.Stripe) return window.Stripe;
  const script = addScript(address);
  pending.push(script);
  try {
    return await Promise.any(pending);
  } catch {
    throw new ScriptBlocked(address);
  } finally {
    pending = pending.filter((each) => each !== script);
  }
}

/** @param {string} address @returns {Promise<StripeConstructor>} */
function addScript(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("error", () => {
      script.remove();
      reject(new ScriptBlocked(address));
    });
    script.addEventListener("load", () => {
      if (window.Stripe) resolve(window.Stripe);
      else reject(new ScriptBlocked(address));
    });
    document.head.append(script);
  });
}
