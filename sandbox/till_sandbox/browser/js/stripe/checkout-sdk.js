import { CheckoutSession } from "./checkout-session.js";
import { IntegrationError, show } from "./errors.js";
import { checkObject } from "./parameters.js";

/**
 * `stripe.initCheckoutElementsSdk()`: Elements that pay a Checkout Session.
 *
 * Source of the names: `StripeCheckoutElementsSdk` in @stripe/stripe-js.
 */

const METHOD = "stripe.initCheckoutElementsSdk()";

/** Elements of this kind that the sandbox has not. */
const OTHER_ELEMENTS_OF_CHECKOUT = ["TaxId", "Terms", "LinkSignup"];

/** Methods of earlier releases, by what took their place. */
const RENAMED_METHODS = { initCheckout: "initCheckoutElementsSdk", initEmbeddedCheckout: "createEmbeddedCheckoutPage" };

/**
 * @param {import("./intents.js").Caller} caller
 * @param {unknown} given
 */
export function initCheckoutElementsSdk(caller, given) {
  const options = checkObject(given, METHOD);
  if (typeof options.clientSecret !== "string" && typeof options.clientSecret?.then !== "function") {
    throw new IntegrationError(
      `Invalid value for ${METHOD}: clientSecret should be a string or a Promise of one. ` +
        `You specified: ${show(options.clientSecret)}.`,
    );
  }
  const checkout = new CheckoutSession(caller, options);
  const { group } = checkout;
  return {
    /** @param {string} name @param {(session: any) => void} listener */
    on: (name, listener) => checkout.on(name, listener),
    loadActions: () => checkout.loadActions(),
    /** @param {unknown} appearance */
    changeAppearance: (appearance) => void group.update({ appearance }),
    /** @param {unknown} fonts */
    loadFonts: (fonts) => group.addFonts(fonts),
    /** @param {unknown} [of] */
    createPaymentElement: (of) => group.create("payment", of),
    /** @param {unknown} [of] */
    createBillingAddressElement: (of) => group.create("address", { ...checkObject(of, METHOD), mode: "billing" }),
    /** @param {unknown} [of] */
    createShippingAddressElement: (of) => group.create("address", { ...checkObject(of, METHOD), mode: "shipping" }),
    /** @param {unknown} [of] */
    createExpressCheckoutElement: (of) => group.create("expressCheckout", of),
    createCurrencySelectorElement: () => group.create("currencySelector"),
    createContactDetailsElement: () => group.create("contactDetails"),
    getPaymentElement: () => group.getElement("payment"),
    getBillingAddressElement: () => group.address("billing"),
    getShippingAddressElement: () => group.address("shipping"),
    getExpressCheckoutElement: () => group.getElement("expressCheckout"),
    getCurrencySelectorElement: () => group.getElement("currencySelector"),
    getContactDetailsElement: () => group.getElement("contactDetails"),
    ...elementsNotImitated(),
  };
}

/** Methods that are called otherwise now. @returns {Record<string, () => never>} */
export function methodsRenamed() {
  const entries = Object.entries(RENAMED_METHODS).map(([name, successor]) => [
    name,
    () => {
      throw new IntegrationError(`stripe.${name}() is no longer there: use stripe.${successor}().`);
    },
  ]);
  return Object.fromEntries(entries);
}

/** @returns {Record<string, () => null>} */
function elementsNotImitated() {
  const entries = OTHER_ELEMENTS_OF_CHECKOUT.flatMap((name) => [
    [
      `create${name}Element`,
      () => {
        throw new IntegrationError(`The ${name} Element is not part of this sandbox, which imitates Elements for cards.`);
      },
    ],
    [`get${name}Element`, () => null],
  ]);
  return Object.fromEntries(entries);
}
