/**
 * The hidden frame that talks to the API for the page. It reads the card from the field frames beside it, which share
 * its origin, so a card number goes from a field to the API without ever passing through the page.
 */
import { connectToParent } from "./parent.js";

/**
 * @typedef {import("../stripe/controller.js").ApiResult} ApiResult
 * @typedef {Omit<import("../stripe/controller.js").ApiRequest, "locale">} ApiRequest
 * @typedef {import("./field.js").Reading} Reading
 */

/** The only places in a request for what was typed into a field: anywhere else the API might keep or repeat it. */
const PLACES = Object.freeze({ card: ["card", "payment_method_data.card"], cvc: ["payment_method_options.card"] });

connectToParent({ request, decide });

/**
 * @param {ApiRequest} call
 * @returns {Promise<ApiResult>} rejected when the API could not be reached
 */
async function request(call) {
  if (!call.path.startsWith("/v1/")) throw new Error("Only the API may be called.");
  if (call.card) refuseUnless(PLACES.card, call.card.at);
  if (call.cvc) refuseUnless(PLACES.cvc, call.cvc.at);
  const parameters = structuredClone(call.parameters);
  const error = call.card
    ? addCard(parameters, call.card, call.billingAt)
    : call.cvc && addCvc(parameters, call.cvc);
  if (error) return { error: { type: "validation_error", ...error } };
  const form = new URLSearchParams(flatten({ ...parameters, key: call.key }));
  const response =
    call.method === "GET"
      ? await fetch(`${call.path}?${form}`, { cache: "no-store" })
      : await fetch(call.path, { method: "POST", body: form });
  return readResult(response);
}

/**
 * Decides the challenge in the cardholder's place, as the buttons of the bank's page do.
 *
 * @param {{address: string, outcome: "complete" | "fail"}} given address of the challenge, on this origin
 */
async function decide({ address, outcome }) {
  const { pathname, search } = new URL(address);
  if (!pathname.startsWith("/sandbox/3ds/")) throw new Error("Not an authentication.");
  await fetch(pathname + search, { method: "POST", body: new URLSearchParams({ outcome }) });
}

/**
 * @param {Response} response
 * @returns {Promise<ApiResult>}
 */
async function readResult(response) {
  const body = await response.json().catch(() => null);
  if (response.ok && body) return { body };
  return { error: body?.error ?? { type: "api_error", message: "An unknown error occurred." } };
}

/**
 * @param {Record<string, any>} parameters the card's own are added to
 * @param {NonNullable<ApiRequest["card"]>} card
 * @param {string[] | undefined} billingAt
 */
function addCard(parameters, card, billingAt) {
  const { number, expiry, cvc } = card.frames;
  const readings = [number, expiry, cvc].filter((name) => name !== undefined).map(read);
  const error = readings.find((reading) => reading.error)?.error;
  if (error) return error;
  /** @type {Reading["values"]} */
  const values = Object.assign({}, ...readings.map((reading) => reading.values));
  Object.assign(open(parameters, card.at), {
    number: values.number,
    exp_month: values.expMonth,
    exp_year: values.expYear,
    cvc: values.cvc,
    networks: { preferred: values.network },
  });
  if (billingAt && values.postalCode) {
    Object.assign(open(parameters, [...billingAt, "address"]), { postal_code: values.postalCode });
  }
  if (billingAt && values.billing) {
    // What the page says itself goes before what was typed into the Payment Element.
    const address = open(parameters, [...billingAt, "address"]);
    Object.assign(address, { ...values.billing.address, ...address });
  }
  return null;
}

/**
 * @param {Record<string, any>} parameters
 * @param {NonNullable<ApiRequest["cvc"]>} cvc
 */
function addCvc(parameters, cvc) {
  const reading = read(cvc.frame);
  if (!reading.error) Object.assign(open(parameters, cvc.at), { cvc: reading.values.cvc });
  return reading.error;
}

/**
 * Reads a field frame of this page. A frame of another origin cannot be read, whatever its name.
 *
 * @param {string} name
 * @returns {Reading}
 */
function read(name) {
  const frame = /** @type {any} */ (window.parent)[name];
  return frame.readField();
}

/**
 * @param {Record<string, any>} parameters
 * @param {string[]} path
 * @returns {Record<string, any>} the object there, made if need be
 */
function open(parameters, path) {
  return path.reduce((at, name) => (at[name] ??= {}), parameters);
}

/**
 * @param {string[]} places
 * @param {string[]} path
 */
function refuseUnless(places, path) {
  if (!places.includes(path.join("."))) throw new Error("A card does not belong there.");
}

/**
 * Nested parameters in the API's bracket notation; what has no value is left out.
 *
 * @param {Record<string, any>} parameters
 * @param {string} [prefix]
 * @returns {[string, string][]}
 */
function flatten(parameters, prefix) {
  return Object.entries(parameters).flatMap(([name, value]) => {
    const key = prefix === undefined ? name : `${prefix}[${name}]`;
    if (value === undefined || value === null) return [];
    return typeof value === "object" ? flatten(value, key) : [[key, String(value)]];
  });
}
