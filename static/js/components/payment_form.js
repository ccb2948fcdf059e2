// Takes the card, on the page, with Stripe.js. Whatever happens, the page says where the money is.
//
// The form is always in one state, written to data-state, with data-busy while the shopper waits:
//   loading → ready → paying ⇄ challenged → paid | deciding | declined | checking → unknown
//   blocked      the card form could not be loaded            unavailable  the payment service does not work

/** @import { PaymentIntentResult, Stripe } from "@stripe/stripe-js" */
/** @import { Outcome } from "../payment_outcome.js" */
/** @import { DeclineMessage, RefusalMessages } from "../refusal_messages.js" */

import { attempt } from "../attempt.js";
import { watchForChallenge } from "../challenge_watch.js";
import { HOLD_OVER, isHere, isReachable, pause, readStatus } from "../order_status.js";
import { lookUp } from "../payment_lookup.js";
import { ask } from "../payment_outcome.js";
import { loadRefusalMessages } from "../refusal_messages.js";
import { loadStripe, ScriptBlocked } from "../stripe_script.js";

/** @typedef {"loading" | "ready" | "paying" | "challenged" | "declined" | "checking" | "unknown" | "paid" | "deciding" | "unavailable" | "blocked"} State */

/**
 * Whom the order names, as the payment service takes it.
 *
 * @typedef {{ name: string, email: string, phone?: string, address: Record<string, string | undefined> }} Billing
 *
 * What takes the card: a field of the payment service's on this page.
 *
 * @typedef {object} Field
 * @property {{ destroy(): void, focus(): void, update(options: { disabled: boolean }): unknown }} element
 * @property {(place: HTMLElement) => Promise<void>} mount  rejects with ScriptBlocked
 * @property {(stripe: Stripe, clientSecret: string, billing: Billing) => Promise<PaymentIntentResult>} confirm
 * @property {() => void} clear  for another card
 * @property {() => void} empty  for good
 *
 * @typedef {(stripe: Stripe, billing: Billing, changed: (change: { error: string, brand: string }) => void) => Field} MakeField
 */

const LOAD_TIMEOUT = 15_000; // milliseconds for Stripe.js and its card field

/** @type {State[]} */
const BUSY = ["paying", "challenged", "checking", "paid", "deciding"];
/** @type {State[]} */
const IDLE = ["ready", "declined", "blocked", "unavailable"];

/** @type {Record<string, State[]>} */
const SHOWN_IN = {
  form: ["loading", "ready", "declined", ...BUSY],
  blocked: ["blocked"],
  unavailable: ["unavailable"],
  unknown: ["unknown"],
};

/** @param {HTMLElement} root @param {MakeField} makeField */
export function startPaymentForm(root, makeField) {
  new PaymentForm(root, makeField).start();
}

class PaymentForm {
  /** @type {Stripe | undefined} */
  #stripe;
  /** @type {Field | undefined} */
  #card;
  #loads = 0;
  #overtime = false;
  #left = false;

  /** @param {HTMLElement} root @param {MakeField} makeField */
  constructor(root, makeField) {
    this.root = root;
    this.makeField = makeField;
    this.form = /** @type {HTMLFormElement} */ (this.part("form"));
    this.button = /** @type {HTMLButtonElement} */ (this.part("pay"));
    this.message = this.part("message");
    /** @type {Billing} */
    this.billing = JSON.parse(this.data("billing"));
  }

  start() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.pay();
    });
    for (const retry of this.root.querySelectorAll("[data-part=retry]")) {
      retry.addEventListener("click", () => void this.load());
    }
    // Another form of this page was sent: on the hosted page the order is paid otherwise than with this page's secret.
    document.addEventListener("submit", (event) => (this.#left ||= event.target !== this.form));
    document.addEventListener(HOLD_OVER, () => this.timeIsOver());
    document.addEventListener("visibilitychange", () => void this.lookAround());
    addEventListener("pageshow", (event) => event.persisted && this.comeBack());
    this.part("order").setAttribute("href", this.data("order"));
    this.root.toggleAttribute("data-started", true);
    void this.load();
  }

  /** Load Stripe.js and put its card field on the page. What comes after the page gave up is taken all the same. */
  async load() {
    const load = (this.#loads += 1);
    this.enter("loading");
    const clock = setTimeout(() => load === this.#loads && this.enter("blocked"), LOAD_TIMEOUT);
    try {
      const Stripe = await loadStripe(this.data("stripeJsUrl"));
      if (load !== this.#loads) return;
      this.#stripe ??= Stripe(this.data("publishableKey"), {
        locale: "en",
        developerTools: { assistant: { enabled: false } }, // in test mode the store has a drawer of its own
      });
      await this.mount(this.#stripe);
      if (load === this.#loads) this.enter(this.message.querySelector(".message.bad") ? "declined" : "ready");
    } catch (problem) {
      if (load !== this.#loads) return;
      this.enter(problem instanceof ScriptBlocked ? "blocked" : "unavailable");
      if (!(problem instanceof ScriptBlocked)) throw problem;
    } finally {
      clearTimeout(clock);
    }
  }

  /** @param {Stripe} stripe */
  async mount(stripe) {
    this.#card?.element.destroy();
    this.#card = this.makeField(stripe, this.billing, ({ error, brand }) => {
      this.part("card-error").textContent = error;
      this.part("brand").textContent = brand;
    });
    this.root.toggleAttribute("data-mounted", true); // a frame that is not shown does not load everywhere
    await this.#card.mount(this.part("card"));
  }

  /** Ask the bank. One press at a time. */
  async pay() {
    const [stripe, card] = [this.#stripe, this.#card];
    if (!stripe || !card || this.button.disabled) return;
    if (!navigator.onLine) return this.say("offline");
    this.enter("paying");
    const messages = loadRefusalMessages(this.data("refusals"));
    card.element.update({ disabled: true });
    // Without, the page says “Asking your bank…” while the bank's window is open.
    const stopWatching = attempt(() =>
      watchForChallenge(this.form, (open) => this.enter(open ? "challenged" : "paying")),
    );
    const clientSecret = this.data("clientSecret");
    let outcome = await ask(() => card.confirm(stripe, clientSecret, this.billing));
    stopWatching?.();
    if (outcome.kind === "unknown") {
      this.enter("checking");
      outcome = await lookUp(stripe, { clientSecret, status: this.data("confirmingStatus") }, () => this.enter("unknown"));
    }
    card.element.update({ disabled: false });
    await this.show(outcome, card, messages);
  }

  /** @param {Outcome} outcome @param {Field} card @param {Promise<RefusalMessages>} messages */
  async show(outcome, card, messages) {
    switch (outcome.kind) {
      case "paid":
      case "deciding":
        card.empty();
        this.enter(outcome.kind);
        return this.leave();
      case "closed":
        return location.reload(); // the server knows where the order belongs
      case "invalid":
        this.enter("ready");
        this.part("card-error").textContent = outcome.text;
        return card.element.focus();
      case "details":
        this.enter("ready");
        return this.say("details", { detail: (await messages).details[outcome.detail] });
      case "declined":
        return this.decline(outcome.codes, card, (await messages).declines);
      case "unfinished":
        return this.decline(["payment_intent_authentication_failure"], card, (await messages).declines);
      case "open":
      case "asked":
        this.enter("ready");
        return this.say(outcome.kind);
      case "unavailable":
      case "unknown":
        return this.enter(outcome.kind);
    }
  }

  /** Go to the order's page as soon as the store answers. The address works without this browser's cookies, too. */
  async leave() {
    while (!(await isReachable(this.data("status")))) {
      this.progress(`${this.state}-unreachable`);
      await pause(2000);
    }
    location.assign(this.data("order"));
  }

  /** @param {string[]} codes @param {Field} card @param {DeclineMessage[]} known */
  decline(codes, card, known) {
    const reason = codes.map((code) => known.find((message) => message.codes.includes(code))).find((found) => found);
    if (!reason?.keep_card) card.clear();
    this.enter("declined");
    this.say("declined", reason);
  }

  /**
   * Show one of the messages that are in the page, and have it read out.
   *
   * @param {string} notice @param {Record<string, unknown>} [parts]  texts for those of its parts that differ, where known
   */
  say(notice, parts = {}) {
    const words = /** @type {DocumentFragment} */ (this.template("notice", notice)?.content.cloneNode(true));
    for (const [name, text] of Object.entries(parts)) {
      const part = words.querySelector(`[data-part="${name}"]`);
      if (part && text) part.textContent = String(text);
    }
    this.message.replaceChildren(words);
    this.message.focus();
    this.message.scrollIntoView({ block: "nearest" });
  }

  /** @param {State} state */
  enter(state) {
    const { root } = this;
    root.dataset.state = state;
    root.toggleAttribute("data-busy", BUSY.includes(state));
    for (const [part, states] of Object.entries(SHOWN_IN)) this.part(part).hidden = !states.includes(state);
    this.button.disabled = !["ready", "declined"].includes(state);
    if (state === "paying") this.message.replaceChildren();
    this.progress(state);
    if (this.#overtime && IDLE.includes(state)) location.reload();
  }

  /** Say what is going on. @param {string} what */
  progress(what) {
    const words = this.template("says", what);
    this.part("progress").replaceChildren(...(words ? [words.content.cloneNode(true)] : []));
  }

  /** The server closes the order; but never under the feet of somebody who is paying. */
  timeIsOver() {
    this.#overtime = true;
    if (IDLE.includes(this.state)) location.reload();
  }

  /** The browser kept this page as it was left, and shows it again: the server knows where the order belongs now. */
  comeBack() {
    if (this.#left || !IDLE.includes(this.state)) return location.reload();
    void this.lookAround();
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
