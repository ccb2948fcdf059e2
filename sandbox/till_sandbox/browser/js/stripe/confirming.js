import { callApi } from "./controller.js";
import { ElementsGroup } from "./elements.js";
import { IntegrationError, show } from "./errors.js";
import { addressFrom } from "./form-options.js";
import { takeNextAction } from "./intents.js";
import { checkObject } from "./parameters.js";
import { SETUP_INTENT, readSecret } from "./secrets.js";

/**
 * Confirming with what was typed into the forms of a group of Elements.
 *
 * @typedef {import("./intents.js").Caller} Caller
 * @typedef {import("./intents.js").Outcome} Outcome
 * @typedef {import("./secrets.js").Kind} Kind
 * @typedef {Pick<import("./controller.js").ApiRequest, "parameters" | "card" | "billingAt">} Collected
 */

const GUIDE = "https://stripe.com/docs/payments/accept-a-payment-deferred";

/**
 * `stripe.confirmPayment()` and `stripe.confirmSetup()`.
 *
 * @param {Caller} caller
 * @param {Readonly<Kind>} kind
 * @param {"confirmPayment" | "confirmSetup"} name
 * @param {unknown} given
 * @returns {Promise<Outcome>} stays pending while the page goes to the return_url
 */
export async function confirmElements(caller, kind, name, given) {
  const method = `stripe.${name}()`;
  const { elements, clientSecret, confirmParams, redirect = "always" } = checkObject(given, method);
  if (redirect !== "always" && redirect !== "if_required") {
    throw new IntegrationError(
      `Invalid value for ${method}: redirect should be one of the following strings: always, if_required. ` +
        `You specified: ${show(redirect)}.`,
    );
  }
  const params = checkObject(confirmParams, method, "confirmParams");
  const group = elements === undefined ? null : checkGroup(elements, method);
  const secret = readSecret(secretOf(group, clientSecret, method), kind, name);
  if (redirect === "always") checkReturnUrl(params.return_url, method);
  const { expand, ...rest } = params;
  const collected = isChosen(params) ? { parameters: rest } : await collect(group, rest, method);
  if ("error" in collected) return collected;
  if (kind === SETUP_INTENT) delete collected.parameters.shipping; // nothing is delivered
  const result = await callApi({
    ...caller,
    ...collected,
    method: "POST",
    path: `${kind.path}/${secret.id}/confirm`,
    parameters: {
      ...collected.parameters,
      client_secret: secret.secret,
      expected_payment_method_type: "card",
      use_stripe_sdk: true,
      ...contextOf(group),
    },
  });
  if (result.error) return { error: result.error };
  const outcome =
    result.body.status === "requires_action"
      ? await takeNextAction(caller, kind, result.body, secret.secret)
      : { [kind.result]: result.body };
  if ("error" in outcome || redirect === "if_required") return outcome;
  return leaveFor(returnAddress(String(params.return_url), kind, secret));
}

/**
 * `stripe.createConfirmationToken()`
 *
 * @param {Caller} caller
 * @param {unknown} given
 */
export async function createConfirmationToken(caller, given) {
  const method = "stripe.createConfirmationToken()";
  const { elements, params } = checkObject(given, method);
  const group = checkGroup(elements, method);
  const said = checkObject(params, method, "params");
  const collected = await collect(group, said, method);
  if ("error" in collected) return collected;
  const usage = group.deferred?.setupFutureUsage;
  const result = await callApi({
    ...caller,
    ...collected,
    method: "POST",
    path: "/v1/confirmation_tokens",
    parameters: {
      ...(usage && { setup_future_usage: usage }),
      ...collected.parameters,
      ...contextOf(group),
    },
  });
  return result.error ? { error: result.error } : { confirmationToken: result.body };
}

/**
 * `stripe.createPaymentMethod({elements})`
 *
 * @param {Caller} caller
 * @param {Record<string, any>} given
 */
export async function createPaymentMethodOf(caller, { elements, params, metadata }) {
  const method = "stripe.createPaymentMethod()";
  const group = checkGroup(elements, method);
  if (group.deferred?.paymentMethodCreation !== "manual") {
    throw new IntegrationError(
      `Invalid value for ${method}: elements should be created with a mode and paymentMethodCreation: 'manual'.`,
    );
  }
  const said = { payment_method_data: checkObject(params, method, "params") };
  const collected = await collect(group, said, method);
  if ("error" in collected) return collected;
  const result = await callApi({
    ...caller,
    method: "POST",
    path: "/v1/payment_methods",
    parameters: { .../** @type {any} */ (collected.parameters.payment_method_data), ...(metadata && { metadata }) },
    card: collected.card && { ...collected.card, at: ["card"] },
    billingAt: ["billing_details"],
  });
  return result.error ? { error: result.error } : { paymentMethod: result.body };
}

/**
 * The parameters of paying with what was typed into a group's forms. What the page says itself goes before it.
 *
 * @param {ElementsGroup | null} group
 * @param {Record<string, any>} params of the page
 * @param {string} method named in messages
 * @returns {Promise<Collected | {error: import("./errors.js").StripeError}>}
 */
export async function collect(group, params, method) {
  const payment = group?.payment;
  if (!group || !payment || payment.frameName === null) {
    throw new IntegrationError(
      `Invalid value for ${method}: elements should have a mounted Payment Element or Express Checkout Element.`,
    );
  }
  if (group.deferred && !group.submitted) {
    throw new IntegrationError(
      `elements.submit() must be called before ${method}. Call elements.submit() as soon as your customer presses ` +
        `pay, prior to any asynchronous work. Integration guide: ${GUIDE}`,
    );
  }
  const data = checkObject(params.payment_method_data, method, "payment_method_data");
  const details = checkObject(data.billing_details, method, "payment_method_data.billing_details");
  // Line 2 is optional with a Checkout Session alone (https://docs.stripe.com/changelog/endive/2026-09-30/strict-billing-details-validation).
  const optional = group.ofCheckout ? ["address.line2"] : [];
  refuseMissingDetails(
    payment.detailsToBeGiven.filter((path) => !optional.includes(path)),
    details,
  );
  for (const form of group.forms.filter((form) => form !== payment)) {
    const error = await form.validate();
    if (error) return { error };
  }
  const billing = withoutBlanks(withTyped(details, typedBilling(group)));
  const shipping = params.shipping ?? typedShipping(group);
  return {
    parameters: {
      ...params,
      ...(shipping && { shipping }),
      payment_method_data: { ...data, type: "card", billing_details: billing },
    },
    card: { at: ["payment_method_data", "card"], frames: { number: payment.frameName } },
    billingAt: ["payment_method_data", "billing_details"],
  };
}

/**
 * @param {string} address
 * @returns {Promise<never>} never settled: the page is about to go away, and must not act as if the payment had ended
 */
export function leaveFor(address) {
  window.location.assign(address);
  return new Promise(() => undefined);
}

/** @param {unknown} elements @param {string} method @returns {ElementsGroup} */
function checkGroup(elements, method) {
  if (elements instanceof ElementsGroup) return elements;
  throw new IntegrationError(
    `Invalid value for ${method}: elements should be an Elements object. You specified: ${show(elements)}.`,
  );
}

/** @param {ElementsGroup | null} group @param {unknown} clientSecret @param {string} method */
function secretOf(group, clientSecret, method) {
  const secret = clientSecret ?? group?.clientSecret;
  if (secret === undefined || secret === null) {
    throw new IntegrationError(`You must pass in a clientSecret when calling ${method}.`);
  }
  return secret;
}

/** @param {unknown} address @param {string} method */
function checkReturnUrl(address, method) {
  if (typeof address === "string" && URL.canParse(address)) return;
  throw new IntegrationError(
    `Invalid value for ${method}: confirmParams.return_url should be a URL that the customer is sent to after paying, ` +
      `unless redirect is 'if_required'. You specified: ${show(address)}.`,
  );
}

/** @param {Record<string, any>} params @returns {boolean} whether the page has something to pay with already */
function isChosen(params) {
  return typeof params.payment_method === "string" || typeof params.confirmation_token === "string";
}

/** @param {string[]} paths @param {Record<string, any>} details */
function refuseMissingDetails(paths, details) {
  // An empty text says that there is none; null does not.
  const missing = paths.find((path) => (path.split(".").reduce((at, name) => at?.[name], details) ?? null) === null);
  if (missing === undefined) return;
  const path = `billing_details.${missing}`;
  throw new IntegrationError(
    `You specified "never" for fields.${path} when creating the payment Element, but did not pass ` +
      `confirmParams.payment_method_data.${path} when calling stripe.confirmPayment or stripe.confirmSetup. If you opt ` +
      "out of collecting data via the payment Element using the fields option, the data must be passed at confirm-time.",
  );
}

/** @param {Record<string, any>} given @param {Record<string, any>} typed taken where nothing is given */
function withTyped(given, typed) {
  return { ...typed, ...given, address: { ...typed.address, ...given.address } };
}

/** @param {ElementsGroup} group @returns {Record<string, any>} billing details of its Elements, other than the card form */
function typedBilling(group) {
  const { email } = group;
  const address = group.address("billing");
  return { ...(address && withoutEmpty(addressFrom(address.values))), ...(email && { email }) };
}

/** @param {ElementsGroup} group */
function typedShipping(group) {
  const address = group.address("shipping");
  return address && withoutEmpty(addressFrom(address.values));
}

/** @param {Record<string, any>} details @returns {Record<string, any>} what the API would take for a wish to unset it is left out */
function withoutBlanks(details) {
  const said = Object.entries(details).filter(([, value]) => value !== "");
  return Object.fromEntries(
    said.map(([name, value]) => [name, typeof value === "object" && value !== null ? withoutBlanks(value) : value]),
  );
}

/** @param {ReturnType<typeof addressFrom>} value */
function withoutEmpty({ name, phone, address }) {
  const parts = Object.fromEntries(Object.entries(address).filter(([, part]) => part));
  return { ...(name && { name }), ...(phone && { phone }), address: parts };
}

/** @param {ElementsGroup | null} group what it was made for, which the intent must agree with */
function contextOf(group) {
  if (!group?.deferred) return {};
  const { mode, amount, currency, captureMethod, setupFutureUsage } = group.deferred;
  return {
    client_context: {
      mode,
      amount,
      currency,
      capture_method: captureMethod,
      setup_future_usage: setupFutureUsage,
    },
  };
}

/** @param {string} address @param {Readonly<Kind>} kind @param {{id: string, secret: string}} secret */
function returnAddress(address, kind, { id, secret }) {
  const url = new URL(address);
  url.searchParams.append(kind.embedded, id);
  url.searchParams.append(`${kind.embedded}_client_secret`, secret);
  url.searchParams.append("redirect_status", "succeeded");
  return url.href;
}
