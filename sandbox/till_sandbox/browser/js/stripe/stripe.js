import { initCheckoutElementsSdk, methodsRenamed } from "./checkout-sdk.js";
import { confirmElements, createConfirmationToken, createPaymentMethodOf } from "./confirming.js";
import { callApi, prepareController } from "./controller.js";
import { ElementsGroup } from "./elements.js";
import { IntegrationError, show, warn } from "./errors.js";
import { confirm, handleCardAction, handleNextAction, retrieve } from "./intents.js";
import { methodsNotImitated } from "./not-imitated.js";
import { checkObject, paymentMethodParameters } from "./parameters.js";
import { PAYMENT_INTENT, SETUP_INTENT } from "./secrets.js";

const STRIPE_OPTIONS = ["stripeAccount", "apiVersion", "locale", "betas", "developerTools"];

/**
 * What `Stripe(publishableKey, options)` makes.
 *
 * @param {unknown} publishableKey
 * @param {unknown} options
 */
export function createStripe(publishableKey, options) {
  const key = checkKey(publishableKey);
  const { locale = "auto" } = checkStripeOptions(options);
  const caller = { key, locale: typeof locale === "string" ? locale : "auto" };
  prepareController();
  return {
    ...methodsNotImitated(),
    ...methodsRenamed(),

    /** @param {unknown} [given] */
    elements: (given) => new ElementsGroup(given, caller),

    /** @param {unknown} clientSecret @param {unknown} [data] @param {unknown} [confirmOptions] */
    confirmCardPayment: (clientSecret, data, confirmOptions) =>
      confirm(caller, PAYMENT_INTENT, "confirmCardPayment", clientSecret, data, confirmOptions),

    /** @param {unknown} clientSecret @param {unknown} [data] @param {unknown} [confirmOptions] */
    confirmCardSetup: (clientSecret, data, confirmOptions) =>
      confirm(caller, SETUP_INTENT, "confirmCardSetup", clientSecret, data, confirmOptions),

    /** @param {unknown} given */
    confirmPayment: (given) => confirmElements(caller, PAYMENT_INTENT, "confirmPayment", given),

    /** @param {unknown} given */
    confirmSetup: (given) => confirmElements(caller, SETUP_INTENT, "confirmSetup", given),

    /** @param {unknown} given */
    createConfirmationToken: (given) => createConfirmationToken(caller, given),

    /** @param {unknown} given */
    initCheckoutElementsSdk: (given) => initCheckoutElementsSdk(caller, given),

    /** @param {unknown} clientSecret */
    retrievePaymentIntent: (clientSecret) => retrieve(caller, PAYMENT_INTENT, "retrievePaymentIntent", clientSecret),

    /** @param {unknown} clientSecret */
    retrieveSetupIntent: (clientSecret) => retrieve(caller, SETUP_INTENT, "retrieveSetupIntent", clientSecret),

    /** @param {unknown} given */
    handleNextAction: (given) => handleNextAction(caller, given),

    /** @param {unknown} clientSecret */
    handleCardAction: (clientSecret) => handleCardAction(caller, clientSecret),

    /** @param {unknown} data @param {unknown} [element] @param {unknown} [more] after "card" */
    createPaymentMethod: (data, element, more) => createPaymentMethod(caller, data, element, more),

    /** Libraries that wrap Stripe.js name themselves; the sandbox has no use for it. */
    registerAppInfo: () => undefined,
    _registerWrapper: () => undefined,
  };
}

/**
 * @param {import("./intents.js").Caller} caller
 * @param {unknown} data `{type: "card", card, billing_details, …}`, `{elements, params}`, `{element, params}`, or "card"
 * @param {unknown} element with "card"
 * @param {unknown} more with "card"
 */
async function createPaymentMethod(caller, data, element, more) {
  const method = "createPaymentMethod";
  const from = data === "card" ? {} : checkObject(data, method);
  if (from.elements !== undefined) return createPaymentMethodOf(caller, from);
  const given =
    data === "card"
      ? { ...checkObject(more, method), type: "card", card: element }
      : from.element !== undefined
        ? { ...checkObject(from.params, method, "params"), type: "card", card: from.element }
        : from;
  if (given.type !== "card") {
    throw new IntegrationError(`Invalid value for ${method}: type should be card. You specified: ${show(given.type)}.`);
  }
  const { parameters, ...fromFrames } = paymentMethodParameters(given, method, "card", []);
  const result = await callApi({ ...caller, method: "POST", path: "/v1/payment_methods", parameters, ...fromFrames });
  return result.error ? { error: result.error } : { paymentMethod: result.body };
}

/**
 * @param {unknown} key
 * @returns {string}
 */
function checkKey(key) {
  if (typeof key !== "string" || key === "") {
    const used = key === "" ? "an empty string" : show(key);
    throw new IntegrationError(`Please call Stripe() with your publishable key. You used ${used}.`);
  }
  if (/^(sk|rk)_/.test(key)) {
    throw new IntegrationError(
      "You should not use your secret key with Stripe.js.\nPlease pass a publishable key instead.",
    );
  }
  if (key.startsWith("pk_live_")) {
    throw new IntegrationError("This is a sandbox for test mode: it takes no live keys.");
  }
  return key;
}

/**
 * `developerTools: {assistant: {enabled: false}}` switches off the testing assistant that Stripe.js shows in test mode.
 * The sandbox shows none, so the option is only checked.
 *
 * @param {unknown} options
 * @returns {Record<string, any>}
 */
function checkStripeOptions(options) {
  const given = checkObject(options, "Stripe()", "options");
  const { assistant } = checkObject(given.developerTools, "Stripe()", "developerTools");
  const { enabled } = checkObject(assistant, "Stripe()", "developerTools.assistant");
  if (enabled !== undefined && typeof enabled !== "boolean") {
    throw new IntegrationError(
      "Invalid value for Stripe(): developerTools.assistant.enabled should be of type boolean. " +
        `You specified: ${show(enabled)}.`,
    );
  }
  for (const name of Object.keys(given).filter((option) => !STRIPE_OPTIONS.includes(option))) {
    warn(
      `Unrecognized Stripe() parameter: ${name} is not a recognized parameter. ` +
        "This may cause issues with your integration in the future.",
    );
  }
  return given;
}
