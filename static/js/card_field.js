// The card field: a frame of the payment service on our page. It never shows us what is typed, but for the postal code.

/** @import { Stripe, StripeCardElement, StripeCardElementOptions } from "@stripe/stripe-js" */

import { attempt } from "./attempt.js";
import { cardStyle, onSchemeChange } from "./card_style.js";
import { ScriptBlocked } from "./stripe_script.js";

const NARROW = 376; // pixels: in a narrower window the card's four fields need the room of its picture

/** @type {Record<string, string>} */
const BRANDS = {
  amex: "American Express",
  diners: "Diners Club",
  discover: "Discover",
  jcb: "JCB",
  mastercard: "Mastercard",
  unionpay: "UnionPay",
  visa: "Visa",
};

export class CardField {
  #postalCode = "";

  /**
   * @param {Stripe} stripe
   * @param {import("./components/payment_form.js").Billing} billing  it asks for no postal code where the order has one
   * @param {(change: { error: string, brand: string }) => void} changed
   */
  constructor(stripe, billing, changed) {
    /** @type {StripeCardElementOptions} */
    const options = { hidePostalCode: Boolean(billing.address.postal_code), disableLink: true, hideIcon: innerWidth < NARROW };
    const style = attempt(cardStyle); // the page's tokens, light or dark; without them the card field is plain
    /** @type {StripeCardElement} */
    this.element = stripe.elements().create("card", { ...options, ...(style && { style }) });
    this.element.on("change", ({ error, brand, value }) => {
      this.#postalCode = value?.postalCode || this.#postalCode;
      changed({ error: error?.message ?? "", brand: BRANDS[brand] ?? "" });
    });
    attempt(() => onSchemeChange((changed) => this.element.update({ style: changed })));
  }

  /** Put it on the page. @param {HTMLElement} place @returns {Promise<void>} rejects with ScriptBlocked */
  mount(place) {
    const ready = /** @type {Promise<void>} */ (
      new Promise((resolve, reject) => {
        this.element.on("ready", () => resolve());
        this.element.on("loaderror", () => reject(new ScriptBlocked()));
      })
    );
    this.element.mount(place);
    return ready;
  }

  /** Ask the bank. @param {Stripe} stripe @param {string} clientSecret @param {import("./components/payment_form.js").Billing} billing */
  confirm(stripe, clientSecret, billing) {
    return stripe.confirmCardPayment(clientSecret, { payment_method: { card: this.element, billing_details: billing } });
  }

  /** Empty it for another card; the postal code is the shopper's, not the card's. */
  clear() {
    this.element.clear();
    if (this.#postalCode) this.element.update({ value: { postalCode: this.#postalCode } });
  }

  /** Leave nothing in it: the page goes into the browser's history. */
  empty() {
    this.#postalCode = "";
    this.element.clear();
  }
}
