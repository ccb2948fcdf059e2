// What became of a payment whose answer did not arrive. Asked before anybody may pay again.

/** @import { Stripe } from "@stripe/stripe-js" */
/** @import { Outcome } from "./payment_outcome.js" */

import { isHere, pause, readStatus } from "./order_status.js";
import { ask } from "./payment_outcome.js";

const QUICK_LOOKUPS = 15; // a second apart; later ones follow every three seconds
const STATES_OF_A_CLOSED_PAGE = ["declined", "action_required"];

/**
 * Ask the payment service from here, and the store, which asks it too: one of the two may be out of reach.
 *
 * @param {Stripe} stripe
 * @param {{ clientSecret: string, status: string }} payment  `status` is the address of the order's status while confirming
 * @param {() => void} onSlow  called when it takes long
 * @returns {Promise<Outcome>} never `unknown`: it goes on asking until there is an answer
 */
export async function lookUp(stripe, { clientSecret, status: address }, onSlow) {
  for (let lookups = 1; ; lookups += 1) {
    await pause(lookups <= QUICK_LOOKUPS ? 1000 : 3000);
    const [outcome, status] = await Promise.all([
      ask(() => stripe.retrievePaymentIntent(clientSecret)),
      readStatus(address),
    ]);
    if (outcome.kind !== "unknown") return outcome;
    const learnt = status && outcomeOfStatus(status, address);
    if (learnt) return learnt;
    if (lookups === QUICK_LOOKUPS) onSlow();
  }
}

/**
 * @param {import("./order_status.js").OrderStatus} status
 * @param {string} address
 * @returns {Outcome | null} null while the store does not know
 */
function outcomeOfStatus(status, address) {
  const waiting = new URL(address, location.href).search;
  if (waiting && status.next.endsWith(waiting)) return null; // the store waits as we do
  if (!isHere(status.next) || STATES_OF_A_CLOSED_PAGE.includes(status.payment)) return { kind: "closed" };
  return { kind: "asked" };
}
