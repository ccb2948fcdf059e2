// What an answer of Stripe.js means for the shopper's money.

/** @import { PaymentIntent, PaymentIntentResult, StripeError } from "@stripe/stripe-js" */

// The parameter that a refused detail of the order's travels in, and what we call those that Stripe calls otherwise.
const DETAIL = /(?:billing_details|shipping).*\[(name|email|phone|line1|line2|city|state|postal_code|country)\]$/;
/** @type {Record<string, string>} */
const OUR_NAMES = { name: "full_name", state: "region" };

/**
 * paid         the money is there
 * deciding     the bank has not answered: nobody may pay again
 * declined     nothing was charged; `code` says why
 * unfinished   the bank's check was left open; nothing was charged
 * open         nothing was charged and nothing is under way
 * asked        the same, and it is the store that asked: this browser cannot reach the payment service
 * closed       the page that is shown is out of date: the server knows where the order belongs
 * invalid      what was typed is no card; `text` is for the shopper
 * details      an e-mail address, a name or a part of the address is not accepted; `detail` says which
 * unavailable  the payment service refuses for a reason that is not the shopper's
 * unknown      the question may have arrived or not: ask what happened
 *
 * @typedef {{ kind: "paid" | "deciding" | "unfinished" | "open" | "asked" | "closed" | "unavailable" | "unknown" }
 *   | { kind: "declined", codes: string[] }
 *   | { kind: "invalid", text: string }
 *   | { kind: "details", detail: string }} Outcome
 */

/**
 * The outcome of a question to Stripe.js; one that never came back is unknown.
 *
 * @param {() => Promise<PaymentIntentResult>} question
 * @returns {Promise<Outcome>}
 */
export async function ask(question) {
  try {
    return outcomeOf(await question());
  } catch {
    return { kind: "unknown" };
  }
}

/** @param {PaymentIntentResult} result @returns {Outcome} */
export function outcomeOf(result) {
  return result.paymentIntent ? ofIntent(result.paymentIntent) : ofError(result.error);
}

/** @param {PaymentIntent} intent @returns {Outcome} */
function ofIntent(intent) {
  switch (intent.status) {
    case "succeeded":
    case "requires_capture":
      return { kind: "paid" };
    case "processing":
      return { kind: "deciding" };
    case "canceled":
      return { kind: "closed" };
    case "requires_action":
      return { kind: "unfinished" };
    case "requires_payment_method":
      return intent.last_payment_error
        ? { kind: "declined", codes: codesOf(intent.last_payment_error) }
        : { kind: "open" };
    case "requires_confirmation":
      return { kind: "open" };
    default:
      return { kind: "unknown" }; // a status that is new to us
  }
}

/** @param {StripeError} error @returns {Outcome} */
function ofError(error) {
  // Paid in another tab, or by an earlier click: the error says so, and it is no error to the shopper.
  const intent = error.payment_intent;
  if (intent && ["succeeded", "requires_capture", "processing", "canceled"].includes(intent.status)) {
    return ofIntent(intent);
  }
  if (error.type === "validation_error") return { kind: "invalid", text: error.message ?? "" };
  if (error.type === "card_error" || error.code === "payment_intent_authentication_failure") {
    return { kind: "declined", codes: codesOf(error) };
  }
  const detail = error.code === "email_invalid" ? "email" : DETAIL.exec(error.param ?? "")?.[1];
  if (error.type === "invalid_request_error" && detail) return { kind: "details", detail: OUR_NAMES[detail] ?? detail };
  if (error.type === "authentication_error") return { kind: "unavailable" };
  if (error.type === "invalid_request_error" && error.code !== "payment_intent_unexpected_state") {
    return { kind: "unavailable" };
  }
  return { kind: "unknown" };
}

/**
 * The codes that may say why a card was refused, the most exact first.
 *
 * @param {{ decline_code?: string, code?: string }} error
 */
function codesOf(error) {
  return [error.decline_code, error.code].flatMap((code) => (code ? [code] : []));
}
