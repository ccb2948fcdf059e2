import { localizeError } from "../shared/messages.js";
import { showChallenge } from "./challenge.js";
import { CheckoutContact } from "./checkout-contact.js";
import { collect, leaveFor } from "./confirming.js";
import { callApi } from "./controller.js";
import { ElementsGroup } from "./elements.js";
import { IntegrationError, show } from "./errors.js";
import { Emitter } from "./events.js";
import { checkObject } from "./parameters.js";

/**
 * A Checkout Session in a page of the shop's own: what the sandbox says of it, with what was typed here.
 *
 * @typedef {Record<string, any>} Session `StripeCheckoutSession` of @stripe/stripe-js
 * @typedef {{type: "success", session: Session} | {type: "error", error: {message: string, code: string | null}}} Result
 * @typedef {{session: Session, stripe_js: string | null, due: boolean, return_url: string | null}} PaymentPage
 */

const SECRET = /^(cs_(?:test|live)_[A-Za-z0-9]+)_secret_[A-Za-z0-9]+/;

/** What stands for the session's id in a return_url. */
const ID_IN_ADDRESS = "{CHECKOUT_SESSION_ID}";

/** Which Element of the page a form is, in what `validateElements()` answers. */
const ELEMENT_NAMES = { billing: "billingAddress", shipping: "shippingAddress" };

export class CheckoutSession {
  #events = new Emitter();
  #caller;
  /** @type {Promise<unknown>} */
  #clientSecret;
  /** @type {PaymentPage | null} */
  #page = null;
  #secret = "";
  #updates = 0;
  #lastTold = "";
  /** @type {Promise<any> | null} */
  #loading = null;
  #contact;

  /**
   * @param {import("./intents.js").Caller} caller
   * @param {Record<string, any>} options checked
   */
  constructor(caller, options) {
    this.#caller = caller;
    this.#clientSecret = Promise.resolve(options.clientSecret);
    this.#clientSecret.catch(() => undefined); // told when the actions are loaded
    const { appearance, fonts, loader } = checkObject(options.elementsOptions, "elementsOptions");
    this.group = new ElementsGroup({ appearance, fonts, loader }, caller);
    this.group.ofCheckout = true;
    this.#contact = new CheckoutContact(this.group, options.defaultValues ?? {});
    this.group.whenTyped(() => this.#tell());
  }

  /** @param {string} name @param {(session: Session) => void} listener */
  on(name, listener) {
    if (name !== "change") throw new IntegrationError(`Invalid event name: ${show(name)}. Valid events: change.`);
    this.#events.add(name, listener, false);
  }

  /** @returns {Promise<{type: "success", actions: any} | {type: "error", error: {message: string, code: null}}>} */
  loadActions() {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load() {
    try {
      const secret = await this.#clientSecret;
      if (typeof secret !== "string" || !SECRET.test(secret)) {
        throw new Error(`clientSecret should be the client secret of a Checkout Session. You specified: ${show(secret)}.`);
      }
      this.#secret = secret;
    } catch (error) {
      return { type: "error", error: { message: error instanceof Error ? error.message : String(error), code: null } };
    }
    const result = await this.#ask("GET", "");
    if (result.error) return { type: "error", error: { message: result.error.message, code: null } };
    this.#page = result.body;
    this.#lastTold = JSON.stringify(this.#session());
    return { type: "success", actions: this.#actions() };
  }

  /** `StripeCheckoutLoadActionsSuccess` of @stripe/stripe-js. */
  #actions() {
    const contact = this.#contact;
    const typed = (/** @type {string} */ name) => async (/** @type {unknown} */ value) =>
      this.#typed(contact.set(name, value));
    return {
      getSession: () => this.#session(),
      updateEmail: async (/** @type {unknown} */ email) => this.#typed(contact.setEmail(email)),
      updatePhoneNumber: typed("phoneNumber"),
      updateIndividualName: typed("individualName"),
      updateBusinessName: typed("businessName"),
      updateBillingAddress: typed("billingAddress"),
      updateShippingAddress: typed("shippingAddress"),
      applyPromotionCode: (/** @type {unknown} */ code) => this.#update({ promotion_code: String(code ?? "").trim() || "-" }),
      removePromotionCode: () => this.#update({ promotion_code: "" }),
      updateLineItemQuantity: (/** @type {unknown} */ given) => {
        const { lineItem, quantity } = checkObject(given, "updateLineItemQuantity()");
        return this.#update({ line_item: lineItem, quantity });
      },
      updateShippingOption: (/** @type {unknown} */ option) => this.#update({ shipping_rate: option }),
      updateTaxIdInfo: async () => refused("The sandbox does not imitate tax ids."),
      addOptionalLineItem: async () => refused("This Checkout Session has no optional items."),
      removeOptionalLineItem: async () => refused("This Checkout Session has no optional items."),
      runServerUpdate: (/** @type {() => unknown} */ update) => this.#runServerUpdate(update),
      validateElements: () => this.#validateElements(),
      confirm: (/** @type {unknown} */ given) => this.#confirm(checkObject(given, "confirm()")),
    };
  }

  /** @returns {Session} */
  #session() {
    const session = this.#page?.session ?? {};
    const said = this.#contact.said(session);
    const forms = this.group.forms;
    const isReady = session.status?.type === "open" && this.#updates === 0 && Boolean(said.email);
    const canPay = !this.#page?.due || forms.some((form) => form.type === "payment");
    return { ...session, ...said, canConfirm: isReady && canPay && forms.every((form) => form.isComplete) };
  }

  /** Tells the page of the session, if it is not what it was told last. */
  #tell() {
    if (!this.#page) return;
    const written = JSON.stringify(this.#session());
    if (written === this.#lastTold) return;
    this.#lastTold = written;
    this.#events.emit("change", this.#session());
  }

  /** @param {{message: string, code: string} | null} error @returns {Result} */
  #typed(error) {
    if (error) return { type: "error", error };
    this.#tell();
    return this.#succeeded();
  }

  /** @returns {Result} */
  #succeeded() {
    return { type: "success", session: this.#session() };
  }

  /** @param {Record<string, unknown>} change @returns {Promise<Result>} */
  async #update(change) {
    this.#begin();
    const result = await this.#ask("POST", "", change);
    return this.#end(result);
  }

  /** @param {() => unknown} update @returns {Promise<Result>} */
  async #runServerUpdate(update) {
    this.#begin();
    try {
      await update();
    } catch (error) {
      this.#updates -= 1;
      this.#tell();
      return refused(error instanceof Error ? error.message : String(error));
    }
    return this.#end(await this.#ask("GET", ""));
  }

  #begin() {
    this.#updates += 1;
    this.#tell();
  }

  /** @param {import("./controller.js").ApiResult} result @returns {Result} */
  #end(result) {
    this.#updates -= 1;
    if (!result.error) this.#page = result.body;
    this.#tell();
    if (!result.error) return this.#succeeded();
    const { code = "", message = "" } = result.error;
    return refused(message, ["invalidCode", "promotionCodeAmountInsufficient"].includes(code) ? code : null);
  }

  async #validateElements() {
    const { forms } = this.group;
    if (forms.length === 0) {
      const error = { code: "no_elements", message: "There are no Elements to validate.", validation_errors: [] };
      return { type: "error", error };
    }
    const found = [];
    for (const form of forms) {
      const error = await form.validate();
      const element = ELEMENT_NAMES[/** @type {"billing"} */ (form.mode)] ?? form.type;
      if (error) found.push({ element, message: error.message ?? "" });
    }
    if (found.length === 0) return this.#succeeded();
    const error = { code: "validation_error", message: found[0].message, validation_errors: found };
    return { type: "error", error };
  }

  /** @param {Record<string, any>} given @returns {Promise<Result>} */
  async #confirm(given) {
    const page = /** @type {PaymentPage} */ (this.#page);
    const address = given.returnUrl ?? page.return_url;
    const leaves = (given.redirect ?? "always") === "always";
    if (leaves && (typeof address !== "string" || !URL.canParse(address))) {
      throw new IntegrationError(
        "Invalid value for confirm(): returnUrl should be a URL that the customer is sent to after paying, unless the " +
          `Checkout Session has a return_url or redirect is 'if_required'. You specified: ${show(address)}.`,
      );
    }
    const said = this.#contact.toConfirm(page.session, given);
    if ("error" in said) return refused(said.error);
    const collected = await this.#collect(page, given, said);
    if ("error" in collected) return refused(collected.error.message ?? "");
    this.#begin();
    const result = await this.#ask("POST", "/confirm", { ...said.parameters, ...collected.parameters }, collected);
    if (result.body?.stripe_js) await showChallenge(result.body.stripe_js);
    const after = result.error || result.body.stripe_js ? await this.#ask("GET", "") : result;
    this.#end(after);
    const failure = this.#failureOf(result, after);
    if (failure) return failure;
    if (!leaves) return this.#succeeded();
    return leaveFor(String(address).replace(ID_IN_ADDRESS, page.session.id));
  }

  /**
   * @param {PaymentPage} page
   * @param {Record<string, any>} given
   * @param {{details: Record<string, any>}} said
   * @returns {Promise<import("./confirming.js").Collected | {error: import("./errors.js").StripeError}>}
   */
  async #collect(page, given, said) {
    if (typeof given.paymentMethod === "string") return { parameters: { payment_method: given.paymentMethod } };
    if (!page.due) return { parameters: {} };
    const collected = await collect(this.group, { payment_method_data: { billing_details: said.details } }, "confirm()");
    if ("error" in collected) return collected;
    const { payment_method_data } = collected.parameters;
    return { ...collected, parameters: { payment_method_data } };
  }

  /**
   * @param {import("./controller.js").ApiResult} result of confirming
   * @param {import("./controller.js").ApiResult} after what the session was then
   * @returns {Result | null}
   */
  #failureOf(result, after) {
    const { error } = result.error ? result : after;
    if (error && error.type !== "card_error") return refused(error.message ?? "");
    if (error) return failed(error.message ?? "", error.decline_code ?? null);
    if (this.#page?.session.status.type === "complete") return null;
    const code = "authentication_failure";
    const { message } = localizeError({ code, message: "" }, this.#caller.locale);
    return failed(result.body?.stripe_js ? message : (this.#page?.session.lastPaymentError?.message ?? message), null);
  }

  /**
   * @param {"GET" | "POST"} method
   * @param {string} path below the session's
   * @param {Record<string, unknown>} [parameters]
   * @param {Pick<import("./controller.js").ApiRequest, "card" | "billingAt">} [fromFrames]
   */
  #ask(method, path, parameters = {}, fromFrames = {}) {
    const id = SECRET.exec(this.#secret)?.[1];
    const { card, billingAt } = fromFrames;
    return callApi({
      ...this.#caller,
      method,
      path: `/v1/payment_pages/${id}${path}`,
      parameters: { ...parameters, client_secret: this.#secret },
      ...(card && { card, billingAt }),
    });
  }
}

/** @param {string} message @param {string | null} [code] @returns {Result} */
function refused(message, code = null) {
  return { type: "error", error: { message, code } };
}

/** @param {string} message @param {string | null} declineCode @returns {Result} */
function failed(message, declineCode) {
  const error = { message, code: "paymentFailed", paymentFailed: { declineCode } };
  return { type: "error", error };
}
