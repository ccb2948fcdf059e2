import { IntegrationError, show } from "./errors.js";

/**
 * The two objects a client secret may belong to.
 *
 * @typedef {object} Kind
 * @property {string} path under which the API keeps it
 * @property {string} name as Stripe writes it
 * @property {"paymentIntent" | "setupIntent"} result key of what a promise resolves with
 * @property {"payment_intent" | "setup_intent"} embedded key under which an error carries it
 * @property {"last_payment_error" | "last_setup_error"} lastError
 * @property {string} authenticationFailure code of a failed 3-D Secure
 * @property {RegExp} secret
 */

/** @type {Readonly<Kind>} */
export const PAYMENT_INTENT = Object.freeze({
  path: "/v1/payment_intents",
  name: "PaymentIntent",
  result: "paymentIntent",
  embedded: "payment_intent",
  lastError: "last_payment_error",
  authenticationFailure: "payment_intent_authentication_failure",
  secret: /^(pi_[A-Za-z0-9]+)_secret_[A-Za-z0-9]+$/,
});

/** @type {Readonly<Kind>} */
export const SETUP_INTENT = Object.freeze({
  path: "/v1/setup_intents",
  name: "SetupIntent",
  result: "setupIntent",
  embedded: "setup_intent",
  lastError: "last_setup_error",
  authenticationFailure: "setup_intent_authentication_failure",
  secret: /^(seti_[A-Za-z0-9]+)_secret_[A-Za-z0-9]+$/,
});

/**
 * @param {unknown} secret
 * @param {Readonly<Kind>} kind which the method works on
 * @param {string} method named in messages
 * @returns {{id: string, secret: string}}
 */
export function readSecret(secret, kind, method) {
  const wrong = `Invalid value for stripe.${method} intent secret: value should be a`;
  if (typeof secret !== "string") {
    throw new IntegrationError(`${wrong} client_secret string. You specified: ${show(secret)}.`);
  }
  const id = kind.secret.exec(secret)?.[1];
  if (id) return { id, secret };
  const other = kindOf(secret);
  if (other) {
    throw new IntegrationError(`${wrong} ${kind.name} client secret. You specified: a ${other.name} client secret.`);
  }
  throw new IntegrationError(`${wrong} client secret of the form \${id}_secret_\${secret}. You specified: ${secret}.`);
}

/**
 * @param {unknown} secret
 * @returns {Readonly<Kind> | undefined}
 */
export function kindOf(secret) {
  return [PAYMENT_INTENT, SETUP_INTENT].find((kind) => typeof secret === "string" && kind.secret.test(secret));
}
