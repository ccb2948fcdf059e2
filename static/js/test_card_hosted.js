// A test card on the payment service's own page, in a window beside. The sandbox's page takes the card by a message; on
// Stripe's a person types it.

/** @import { Scenario } from "./test_card_run.js" */

/**
 * Go there from the payment page, and have the card tried; resolved once it was, or at once where a person types it.
 *
 * @param {Scenario} scenario
 * @param {Window} shop  with the payment page in it
 * @param {string} sandbox  the sandbox's origin; empty with Stripe itself
 * @param {(look: () => boolean) => Promise<boolean>} wait  until it is so in the window
 * @returns {Promise<boolean>} whether the sandbox did it
 */
export async function tryOnHostedPage(scenario, shop, sandbox, wait) {
  /** @type {HTMLFormElement | null} */ (shop.document.querySelector("#hosted-payment"))?.requestSubmit();
  await wait(() => isElsewhere(shop));
  if (!sandbox) return false;
  let trying = false;
  let ended = false;
  /** @param {MessageEvent} message */
  const hear = ({ data, source, origin }) => {
    if (source !== shop || origin !== sandbox) return;
    trying ||= data?.sandbox === "paying";
    ended ||= data?.sandbox === "said";
  };
  addEventListener("message", hear);
  try {
    await wait(() => {
      const order = { sandbox: "pay", card: scenario.card, answer: scenario.answer };
      if (!trying && isElsewhere(shop)) shop.postMessage(order, sandbox);
      return ended || (trying && !isElsewhere(shop));
    });
  } finally {
    removeEventListener("message", hear);
  }
  return true;
}

/** Whether the window shows a page of another origin, into which we cannot look. @param {Window} shop */
function isElsewhere(shop) {
  try {
    return !shop.location.pathname;
  } catch {
    return true;
  }
}
