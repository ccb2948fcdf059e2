// The Payment Element: a form of the payment service in a frame on our page. What is missing or wrong it says itself.

/** @import { Appearance, Stripe, StripeElements, StripePaymentElement } from "@stripe/stripe-js" */

import { attempt } from "./attempt.js";
import { ScriptBlocked } from "./stripe_script.js";

export class PaymentElementField {
  /** @type {StripeElements | undefined} */
  #elements;
  /** @type {StripePaymentElement | undefined} */
  #element;
  #returnUrl = "";

  /**
   * @param {Stripe} stripe
   * @param {import("./components/payment_form.js").Billing} billing
   * @param {(change: { error: string, brand: string }) => void} changed
   */
  constructor(stripe, billing, changed) {
    this.stripe = stripe;
    const { country, postal_code } = billing.address;
    // Whoever gave an address at the checkout is not asked for a part of it again.
    this.knowsAddress = Boolean(country && postal_code);
    this.country = country ?? undefined;
    this.changed = changed;
    this.element = {
      destroy: () => this.#element?.destroy(),
      focus: () => this.#element?.focus(),
      update: (/** @type {{ disabled: boolean }} */ { disabled }) => this.#element?.update({ readOnly: disabled }),
    };
    attempt(() => matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.restyle()));
  }

  /** Put it on the page. @param {HTMLElement} place @returns {Promise<void>} rejects with ScriptBlocked */
  mount(place) {
    const form = /** @type {HTMLElement} */ (place.closest("[data-module]"));
    this.#returnUrl = /** @type {HTMLAnchorElement} */ (form.querySelector("[data-part=order]")).href;
    const appearance = attempt(appearanceOfPage); // without, it is plain
    const elements = this.stripe.elements({ clientSecret: form.dataset.clientSecret, ...(appearance && { appearance }) });
    const element = elements.create("payment", {
      layout: "tabs",
      fields: { billingDetails: { address: this.knowsAddress ? { country: "never", postalCode: "never" } : "auto" } },
      defaultValues: { billingDetails: { address: { country: this.country } } },
      wallets: { applePay: "never", googlePay: "never", link: "never" },
    });
    [this.#elements, this.#element] = [elements, element];
    element.on("change", () => this.changed({ error: "", brand: "" }));
    const ready = /** @type {Promise<void>} */ (
      new Promise((resolve, reject) => {
        element.on("ready", () => resolve());
        element.on("loaderror", ({ error }) => reject(new ScriptBlocked(error.message)));
      })
    );
    element.mount(place);
    return ready;
  }

  /** Ask the bank. @param {Stripe} stripe @param {string} _secret  that the Element has already @param {import("./components/payment_form.js").Billing} billing */
  confirm(stripe, _secret, { address, ...others }) {
    const { country, postal_code, ...typedElsewhere } = address;
    const details = { ...withoutEmpty(others), address: withoutEmpty(this.knowsAddress ? address : typedElsewhere) };
    return stripe.confirmPayment({
      elements: /** @type {StripeElements} */ (this.#elements),
      redirect: "if_required",
      confirmParams: { return_url: this.#returnUrl, payment_method_data: { billing_details: details } },
    });
  }

  restyle() {
    void this.#elements?.update({ appearance: appearanceOfPage() });
  }

  /** Empty it for another card. */
  clear() {
    this.#element?.clear();
  }

  /** Leave nothing in it: the page goes into the browser's history. */
  empty() {
    this.clear();
  }
}

/** @param {Record<string, string | null | undefined>} details @returns {Record<string, string>} those that the order has */
function withoutEmpty(details) {
  return Object.fromEntries(Object.entries(details).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

/** The page's tokens, light or dark. @returns {Appearance} */
function appearanceOfPage() {
  const tokens = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const token = (name) => tokens.getPropertyValue(name).trim();
  const focus = `0 0 0 2px ${token("--focus")}`;
  return {
    theme: "stripe",
    variables: {
      borderRadius: token("--round"),
      colorBackground: token("--surface"),
      colorDanger: token("--bad"),
      colorPrimary: token("--focus"),
      colorText: token("--ink"),
      colorTextPlaceholder: token("--ink-faint"),
      colorTextSecondary: token("--ink-soft"),
      fontFamily: token("--sans"),
      fontSizeBase: "16px", // smaller, and a telephone zooms in when a field is touched
      iconColor: token("--brand"),
    },
    rules: {
      ".Input": { border: `1px solid ${token("--line-strong")}`, boxShadow: "none", padding: "10px 12px" },
      ".Input:focus": { borderColor: token("--focus"), boxShadow: focus },
      ".Input--invalid": { borderColor: token("--bad"), boxShadow: "none" },
      ".Label": { fontWeight: "600" },
    },
  };
}
