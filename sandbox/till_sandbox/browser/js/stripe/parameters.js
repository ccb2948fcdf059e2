import { CardField } from "./element.js";
import { IntegrationError, show } from "./errors.js";

/**
 * What an API call is made of, from what the page passed to a method of Stripe.js.
 *
 * @typedef {Pick<import("./controller.js").ApiRequest, "card" | "cvc" | "billingAt">} FromFrames parts only frames know
 * @typedef {{parameters: Record<string, unknown>} & FromFrames} Assembled
 */

/** Said when an Element is used that has no frame (any more). */
const NOT_MOUNTED =
  "We could not retrieve data from the specified Element.\n" +
  "Please make sure the Element you are attempting to use is still mounted.";

/**
 * The parameters of confirming an intent.
 *
 * @param {unknown} data second argument of `confirmCardPayment` or `confirmCardSetup`
 * @param {string} method named in messages
 * @returns {Assembled}
 */
export function confirmParameters(data, method) {
  const { payment_method: paymentMethod, payment_method_options: options, ...rest } = checkObject(data, method);
  /** @type {Assembled} */
  const assembled = {
    parameters: { ...rest, expected_payment_method_type: "card", use_stripe_sdk: true },
  };
  if (typeof paymentMethod === "string") {
    assembled.parameters.payment_method = paymentMethod;
  } else if (paymentMethod !== undefined && paymentMethod !== null) {
    const at = "payment_method_data";
    const given = checkObject(paymentMethod, method, "payment_method");
    const made = paymentMethodParameters(given, method, "payment_method.card", [at]);
    assembled.parameters[at] = made.parameters;
    Object.assign(assembled, { card: made.card, billingAt: made.billingAt });
  }
  return options === undefined || options === null ? assembled : withOptions(assembled, options, method);
}

/**
 * The parameters of a PaymentMethod made of a card.
 *
 * @param {Record<string, unknown>} data with `card` and perhaps `billing_details`, `metadata`
 * @param {string} method named in messages
 * @param {string} cardPath where the card stands in the arguments, named in messages
 * @param {string[]} at where the parameters will stand in the call
 * @returns {Assembled}
 */
export function paymentMethodParameters(data, method, cardPath, at) {
  const { card, ...rest } = data;
  const token = card !== null && typeof card === "object" && "token" in card ? card.token : undefined;
  if (typeof token === "string") return { parameters: { ...rest, type: "card", card: { token } } };
  const element = card instanceof CardField ? card : null;
  if (!element || (element.type !== "card" && element.type !== "cardNumber")) {
    throw new IntegrationError(
      `Invalid value for ${method}: ${cardPath} should be a card or cardNumber Element or a token object. ` +
        `You specified: ${element ? element.type : show(card)}.`,
    );
  }
  return {
    parameters: { ...rest, type: "card" },
    card: { at: [...at, "card"], frames: framesOf(element) },
    billingAt: [...at, "billing_details"],
  };
}

/**
 * @param {unknown} value
 * @param {string} method
 * @param {string} [path]
 * @returns {Record<string, any>}
 */
export function checkObject(value, method, path) {
  if (value === undefined || value === null) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value;
  throw new IntegrationError(
    `Invalid value for ${method}: ${path ?? "value"} should be an object. You specified: ${show(value)}.`,
  );
}

/**
 * @param {Assembled} assembled
 * @param {unknown} options `payment_method_options`
 * @param {string} method
 * @returns {Assembled}
 */
function withOptions(assembled, options, method) {
  const { card, ...others } = checkObject(options, method, "payment_method_options");
  const { cvc, ...cardOptions } = checkObject(card, method, "payment_method_options.card");
  const parameters = { ...assembled.parameters, payment_method_options: { ...others, card: cardOptions } };
  if (cvc === undefined || cvc === null) return { ...assembled, parameters };
  const element = cvc instanceof CardField ? cvc : null;
  if (element?.type !== "cardCvc") {
    throw new IntegrationError(
      `Invalid value for ${method}: payment_method_options.card.cvc should be a cardCvc Element. ` +
        `You specified: ${element ? element.type : show(cvc)}.`,
    );
  }
  return { ...assembled, parameters, cvc: { at: ["payment_method_options", "card"], frame: mountedFrame(element) } };
}

/**
 * @param {CardField} element a card, or the number of a split one
 * @returns {import("./controller.js").CardFrames}
 */
function framesOf(element) {
  const number = mountedFrame(element);
  if (element.type === "card") return { number };
  return { number, expiry: frameOf(element.group, "cardExpiry"), cvc: frameOf(element.group, "cardCvc") };
}

/** @param {CardField["group"]} group @param {"cardExpiry" | "cardCvc"} type @returns {string | undefined} */
function frameOf(group, type) {
  const element = group.getElement(type);
  return element instanceof CardField ? (element.frameName ?? undefined) : undefined;
}

/** @param {CardField} element */
function mountedFrame(element) {
  if (element.frameName === null) throw new IntegrationError(NOT_MOUNTED);
  return element.frameName;
}
