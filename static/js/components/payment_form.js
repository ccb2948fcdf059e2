// Takes the card, on the page, with Stripe.js. Whatever happens, the page says where the money is.
//
// The form is always in one state, written to data-state:
//   loading → ready → paying ⇄ challenged → paid | declined | checking → unknown
//   blocked      the card form could not be loaded            unavailable  the payment service does not work

/** @import { Stripe, StripeCardElement, PaymentIntentResult } from "@stripe/stripe-js" */
/** @import { Outcome } from "../payment_outcome.js" */

import { cardStyle, onSchemeChange } from "../card_style.js";
import { watchForChallenge } from "../challenge_watch.js";
import { isHere, pause, readStatus } from "../order_status.js";
import { outcomeOf } from "../payment_outcome.js";
import { loadStripe, ScriptBlocked } from "../stripe_script.js";
import { HOLD_OVER } from "./hold_timer.js";

/** @typedef {"loading" | "ready" | "paying" | "challenged" | "declined" | "checking" | "unknown" | "paid" | "unavailable" | "blocked"} State */

const LOAD_TIMEOUT = 15_000; // milliseconds for Stripe.js, and again for its card field
const NARROW = 376; // pixels: in a narrower window the card's four fields need the room of its picture
const CHECKS = 6; // how often we ask what became of a payment before we send the shopper to the order's page

/** @type {Record<string, State[]>} */
const SHOWN_IN = {
  form: ["ready", "paying", "challenged", "declined", "checking", "paid"],
  blocked: ["blocked"],
  unavailable: ["unavailable"],
  unknown: ["unknown"],
};

/** @type {State[]} */
const IDLE = ["ready", "declined", "blocked", "unavailable"];

/** @param {HTMLElement} root */
export function start(root) {
  new PaymentForm(root).start();
}

class PaymentForm {
  /** @type {Stripe | undefined} */
  #stripe;
  /** @type {StripeCardElement | undefined} */
  #card;
  #overtime = false;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.form = /** @type {HTMLFormElement} */ (this.part("form"));
    this.button = /** @type {HTMLButtonElement} */ (this.part("pay"));
    this.message = this.part("message");
  }

  start() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.pay();
    });
    for (const retry of this.root.querySelectorAll("[data-part=retry]")) {
      retry.addEventListener("click", () => void this.load());
    }
    onSchemeChange((style) => this.#card?.update({ style }));
    document.addEventListener(HOLD_OVER, () => this.timeIsOver());
    document.addEventListener("visibilitychange", () => void this.lookAround());
    addEventListener("pageshow", (event) => event.persisted && void this.lookAround());
    void this.load();
  }

  /** Load Stripe.js and put its card field on the page. */
  async load() {
    this.enter("loading");
    try {
      const Stripe = await loadStripe(this.data("stripeJsUrl"), LOAD_TIMEOUT);
      this.#stripe ??= Stripe(this.data("publishableKey"), { locale: "en" });
      await this.mount(this.#stripe);
    } catch (problem) {
      this.enter(problem instanceof ScriptBlocked ? "blocked" : "unavailable");
      if (!(problem instanceof ScriptBlocked)) throw problem;
      return;
    }
    this.enter(this.message.querySelector(".message.bad") ? "declined" : "ready");
  }

  /** @param {Stripe} stripe */
  async mount(stripe) {
    this.#card?.destroy();
    const options = { style: cardStyle(), disableLink: true, hideIcon: innerWidth < NARROW };
    const card = (this.#card = stripe.elements().create("card", options));
    const ready = new Promise((resolve, reject) => {
      card.on("ready", resolve);
      card.on("loaderror", () => reject(new ScriptBlocked()));
      setTimeout(() => reject(new ScriptBlocked()), LOAD_TIMEOUT);
    });
    card.on("change", (event) => {
      this.part("card-error").textContent = event.error?.message ?? "";
      this.part("brand").textContent = BRANDS[event.brand] ?? "";
    });
    this.form.hidden = false; // a frame that is not shown does not load everywhere
    card.mount(this.part("card"));
    await ready;
  }

  /** Ask the bank. One press at a time. */
  async pay() {
    const [stripe, card] = [this.#stripe, this.#card];
    if (!stripe || !card || this.button.disabled) return;
    this.enter("paying");
    card.update({ disabled: true });
    const stopWatching = watchForChallenge(this.form, (open) => this.enter(open ? "challenged" : "paying"));
    const billing = JSON.parse(this.data("billing"));
    let outcome = await ask(() =>
      stripe.confirmCardPayment(this.data("clientSecret"), { payment_method: { card, billing_details: billing } }),
    );
    stopWatching();
    if (outcome.kind === "unknown") {
      this.enter("checking");
      outcome = await this.findOut(stripe);
    }
    card.update({ disabled: false });
    this.show(outcome, card);
  }

  /**
   * The question may have been lost on its way, or the answer. Ask what happened before anybody pays again.
   *
   * @param {Stripe} stripe
   * @returns {Promise<Outcome>}
   */
  async findOut(stripe) {
    for (let check = 0; check < CHECKS; check += 1) {
      await pause(1000 * (check + 1));
      const outcome = await ask(() => stripe.retrievePaymentIntent(this.data("clientSecret")));
      if (outcome.kind !== "unknown") return outcome;
      const status = await readStatus(this.data("status"));
      if (status && !isHere(status.next)) return { kind: "closed" };
    }
    return { kind: "unknown" };
  }

  /** @param {Outcome} outcome @param {StripeCardElement} card */
  show(outcome, card) {
    switch (outcome.kind) {
      case "paid":
      case "deciding":
        this.enter(outcome.kind === "paid" ? "paid" : "checking");
        // This page stays in the history: going back to it asks the server, which knows that the order is paid.
        return location.assign(this.data("confirming"));
      case "closed":
        return location.reload(); // the server knows where the order belongs
      case "invalid":
        this.enter("ready");
        this.part("card-error").textContent = outcome.text;
        return card.focus();
      case "declined":
        return this.decline(outcome.codes, card);
      case "unfinished":
        return this.decline(["payment_intent_authentication_failure"], card);
      case "open":
        this.enter("ready");
        return this.say(this.template("notice", "offline"));
      case "unavailable":
      case "unknown":
        return this.enter(outcome.kind);
    }
  }

  /** @param {string[]} codes @param {StripeCardElement} card */
  decline(codes, card) {
    const known = codes.map((code) => this.template("decline", code)).find((found) => found);
    const words = known ?? this.template("decline", "");
    if (!words?.hasAttribute("data-keep-card")) card.clear();
    this.enter("declined");
    this.say(words);
  }

  /** Show one of the messages that are in the page, and have it read out. @param {HTMLTemplateElement | null} words */
  say(words) {
    this.message.replaceChildren(...(words ? [words.content.cloneNode(true)] : []));
    this.message.focus();
    this.message.scrollIntoView({ block: "nearest" });
  }

  /** @param {State} state */
  enter(state) {
    const { root } = this;
    root.dataset.state = state;
    for (const [part, states] of Object.entries(SHOWN_IN)) this.part(part).hidden = !states.includes(state);
    this.button.disabled = !["ready", "declined"].includes(state);
    if (state === "paying") this.message.replaceChildren();
    const words = /** @type {HTMLTemplateElement | null} */ (root.querySelector(`template[data-says=${state}]`));
    this.part("progress").replaceChildren(...(words ? [words.content.cloneNode(true)] : []));
    if (this.#overtime && IDLE.includes(state)) location.reload();
  }

  /** The server closes the order; but never under the feet of somebody who is paying. */
  timeIsOver() {
    this.#overtime = true;
    if (IDLE.includes(this.state)) location.reload();
  }

  /** The shopper comes back to this page: was the order paid in another tab, or closed meanwhile? */
  async lookAround() {
    if (document.visibilityState !== "visible" || !IDLE.includes(this.state)) return;
    const status = await readStatus(this.data("status"));
    if (status && !isHere(status.next) && IDLE.includes(this.state)) location.replace(status.next);
  }

  get state() {
    return /** @type {State} */ (this.root.dataset.state);
  }

  /** @param {string} name */
  data(name) {
    return this.root.dataset[name] ?? "";
  }

  /** @param {string} name @returns {HTMLElement} */
  part(name) {
    return /** @type {HTMLElement} */ (this.root.querySelector(`[data-part="${name}"]`));
  }

  /** @param {string} kind @param {string} key @returns {HTMLTemplateElement | null} */
  template(kind, key) {
    return this.root.querySelector(`template[data-${kind}="${CSS.escape(key)}"]`);
  }
}

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

/**
 * The outcome of a question to Stripe.js; one that never came back is unknown.
 *
 * @param {() => Promise<PaymentIntentResult>} question
 * @returns {Promise<Outcome>}
 */
async function ask(question) {
  try {
    return outcomeOf(await question());
  } catch {
    return { kind: "unknown" };
  }
}
