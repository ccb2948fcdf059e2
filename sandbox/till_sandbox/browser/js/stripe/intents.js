import { localizeError } from "../shared/messages.js";
import { showChallenge } from "./challenge.js";
import { callApi } from "./controller.js";
import { IntegrationError } from "./errors.js";
import { confirmParameters } from "./parameters.js";
import { PAYMENT_INTENT, kindOf, readSecret } from "./secrets.js";

/**
 * Confirming and looking at PaymentIntents and SetupIntents.
 *
 * @typedef {import("./secrets.js").Kind} Kind
 * @typedef {{key: string, locale: string}} Caller the Stripe object
 * @typedef {Record<string, any>} Intent as the API gives it to publishable keys
 * @typedef {{error: import("@stripe/stripe-js").StripeError} | Record<string, Intent>} Outcome
 */

/**
 * @param {Caller} caller
 * @param {Readonly<Kind>} kind
 * @param {string} method
 * @param {unknown} clientSecret
 * @param {unknown} data
 * @param {unknown} options
 * @returns {Promise<Outcome>}
 */
export async function confirm(caller, kind, method, clientSecret, data, options) {
  const { id, secret } = readSecret(clientSecret, kind, method);
  const { parameters, ...fromFrames } = confirmParameters(data, method);
  const { handleActions = true } = /** @type {{handleActions?: boolean}} */ (options ?? {});
  const result = await callApi({
    key: caller.key,
    locale: caller.locale,
    method: "POST",
    path: `${kind.path}/${id}/confirm`,
    parameters: { ...parameters, client_secret: secret },
    ...fromFrames,
  });
  if (result.error) return { error: result.error };
  if (result.body.status !== "requires_action" || handleActions === false) return { [kind.result]: result.body };
  return takeNextAction(caller, kind, result.body, secret);
}

/**
 * @param {Caller} caller
 * @param {Readonly<Kind>} kind
 * @param {string} method
 * @param {unknown} clientSecret
 * @returns {Promise<Outcome>}
 */
export async function retrieve(caller, kind, method, clientSecret) {
  const { id, secret } = readSecret(clientSecret, kind, method);
  const result = await fetchIntent(caller, kind, id, secret);
  return result.error ? { error: result.error } : { [kind.result]: result.body };
}

/**
 * @param {Caller} caller
 * @param {unknown} options `{clientSecret}` of a PaymentIntent or a SetupIntent
 * @returns {Promise<Outcome>}
 */
export async function handleNextAction(caller, options) {
  const method = "handleNextAction";
  const clientSecret = /** @type {{clientSecret?: unknown} | undefined} */ (options)?.clientSecret;
  const kind = kindOf(clientSecret) ?? PAYMENT_INTENT;
  const { id, secret } = readSecret(clientSecret, kind, method);
  const result = await fetchIntent(caller, kind, id, secret);
  if (result.error) return { error: result.error };
  refuseUnlessActionRequired(result.body, kind, method);
  return takeNextAction(caller, kind, result.body, secret);
}

/**
 * The same for PaymentIntents that the server confirms by hand: they end in `requires_confirmation`.
 *
 * @param {Caller} caller
 * @param {unknown} clientSecret
 * @returns {Promise<Outcome>}
 */
export async function handleCardAction(caller, clientSecret) {
  const method = "handleCardAction";
  const { id, secret } = readSecret(clientSecret, PAYMENT_INTENT, method);
  const result = await fetchIntent(caller, PAYMENT_INTENT, id, secret);
  if (result.error) return { error: result.error };
  if (result.body.confirmation_method !== "manual") {
    throw new IntegrationError(
      `${method}: The PaymentIntent supplied does not require manual server-side confirmation. ` +
        "Please use confirmCardPayment instead to complete the payment.",
    );
  }
  refuseUnlessActionRequired(result.body, PAYMENT_INTENT, method);
  return takeNextAction(caller, PAYMENT_INTENT, result.body, secret);
}

/**
 * @param {Intent} intent
 * @param {Readonly<Kind>} kind
 * @param {string} method
 */
function refuseUnlessActionRequired(intent, kind, method) {
  if (intent.status === "requires_action") return;
  throw new IntegrationError(`${method}: The ${kind.name} supplied is not in the requires_action state.`);
}

/**
 * @param {Caller} caller
 * @param {Readonly<Kind>} kind
 * @param {Intent} intent in requires_action
 * @param {string} secret
 * @returns {Promise<Outcome>}
 */
export async function takeNextAction(caller, kind, intent, secret) {
  const action = intent.next_action ?? {};
  if (action.type === "redirect_to_url") {
    window.location.assign(action.redirect_to_url.url);
    // The page is about to go away; a promise that settled now would let it act as if the payment had ended.
    return new Promise(() => undefined);
  }
  if (action.use_stripe_sdk?.type === "three_d_secure_redirect") {
    await showChallenge(action.use_stripe_sdk.stripe_js);
  }
  const result = await fetchIntent(caller, kind, intent.id, secret);
  if (result.error) return { error: result.error };
  return outcomeOf(result.body, kind, caller.locale);
}

/**
 * After an action, an intent that waits for a payment method again has failed, and says why.
 *
 * @param {Intent} intent
 * @param {Readonly<Kind>} kind
 * @param {string} locale
 * @returns {Outcome}
 */
function outcomeOf(intent, kind, locale) {
  const failure = intent[kind.lastError];
  if (intent.status !== "requires_payment_method" || !failure) return { [kind.result]: intent };
  const error = { ...failure, [kind.embedded]: intent };
  if (failure.code === kind.authenticationFailure) error.type = "invalid_request_error";
  return { error: localizeError(error, locale) };
}

/**
 * @param {Caller} caller
 * @param {Readonly<Kind>} kind
 * @param {string} id
 * @param {string} secret
 */
function fetchIntent(caller, kind, id, secret) {
  return callApi({
    key: caller.key,
    locale: caller.locale,
    method: "GET",
    path: `${kind.path}/${id}`,
    parameters: { client_secret: secret },
  });
}
