import { localizeError } from "../shared/messages.js";
import { warn } from "./errors.js";
import { Frame, frameName, setStyles } from "./frame.js";

/**
 * @typedef {{number: string, expiry?: string, cvc?: string}} CardFrames names of the frames with the parts of a card
 *
 * @typedef {object} ApiRequest
 * @property {string} key publishable key
 * @property {"GET" | "POST"} method
 * @property {string} path of the API, from /v1/
 * @property {Record<string, unknown>} parameters nested as in the API reference
 * @property {string} locale in which the shopper reads what went wrong
 * @property {{at: string[], frames: CardFrames}} [card] where in the parameters the frame puts the card it reads
 * @property {{at: string[], frame: string}} [cvc] likewise a security code alone
 * @property {string[]} [billingAt] where in the parameters the billing details stand that get the card's postal code
 *
 * @typedef {import("@stripe/stripe-js").StripeError} StripeError
 * @typedef {{body: any, error?: undefined} | {error: StripeError, body?: undefined}} ApiResult
 */

/** Said when the API cannot be reached. */
const CONNECTION_ERROR = Object.freeze({
  type: /** @type {const} */ ("api_connection_error"),
  message:
    "We are experiencing issues connecting to our payments provider. " +
    "Please check your internet connection and try again.",
});

/** @type {Frame | null} */
let frame = null;
/** @type {Promise<void> | null} */
let connected = null;

/**
 * Makes ready the hidden frame through which every API call goes: it shares its origin with the card fields, so it can
 * read a card where the page cannot.
 */
export function prepareController() {
  connect().catch(() => undefined);
}

/**
 * @param {ApiRequest} request
 * @returns {Promise<ApiResult>} never rejected: a broken connection is an error in the result
 */
export async function callApi(request) {
  try {
    const { locale, ...call } = request;
    /** @type {ApiResult} */
    const result = await send("request", call);
    if (result.error?.code === "incomplete_zip" && knowsPostalCode(request)) {
      warn(
        "The card Element asks for a postal code, though billing_details has one. " +
          "Create it with hidePostalCode: true, and the one in billing_details is sent.",
      );
    }
    return result.error ? { error: localizeError(result.error, locale) } : result;
  } catch {
    return { error: localizeError({ ...CONNECTION_ERROR }, request.locale) };
  }
}

/** @param {ApiRequest} request @returns {boolean} whether the page gave a postal code with the billing details */
function knowsPostalCode({ parameters, billingAt = [] }) {
  const billingDetails = billingAt.reduce((at, name) => at?.[name], /** @type {any} */ (parameters));
  return Boolean(billingDetails?.address?.postal_code);
}

/**
 * Decides the bank's challenge elsewhere than on its page. Walking away counts as failing.
 *
 * @param {string} url address of the challenge
 * @param {"complete" | "fail"} outcome
 */
export async function decideChallenge(url, outcome) {
  try {
    await send("decide", { address: url, outcome });
  } catch {
    // The PaymentIntent is looked at next; that call reports the broken connection.
  }
}

/**
 * @param {string} name
 * @param {unknown} payload
 * @returns {Promise<any>}
 */
async function send(name, payload) {
  await connect();
  if (!frame?.channel) throw new Error("The controller has gone.");
  return frame.channel.request(name, payload);
}

/** @returns {Promise<void>} settled once the frame takes requests, or could not be loaded */
function connect() {
  if (frame && !frame.iframe.isConnected && connected) discard();
  connected ??= new Promise((resolve, reject) => {
    const made = new Frame({
      page: "/v3/controller.html",
      name: frameName("__privateStripeController"),
      title: "Secure payment connection",
      options: () => ({}),
      handlers: {},
      onConnect: () => resolve(),
      onFail: () => {
        discard();
        reject(new Error("The controller did not load."));
      },
    });
    made.iframe.setAttribute("aria-hidden", "true");
    made.iframe.tabIndex = -1;
    setStyles(made.iframe, {
      border: "none",
      margin: "0",
      padding: "0",
      width: "1px",
      height: "1px",
      position: "fixed",
      top: "0",
      left: "0",
      visibility: "hidden",
      "pointer-events": "none",
    });
    frame = made;
    whenBodyIsThere(() => document.body.append(made.iframe));
  });
  return connected;
}

function discard() {
  frame?.remove();
  frame = null;
  connected = null;
}

/** @param {() => void} action */
function whenBodyIsThere(action) {
  if (document.body) action();
  else document.addEventListener("DOMContentLoaded", action, { once: true });
}
