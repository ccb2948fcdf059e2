import { brandOf } from "../frames/brands.js";
import { cvcFormat, expiryFormat, NUMBER } from "../frames/formats.js";
import { MaskedInput } from "../frames/masked-input.js";
import { MESSAGES } from "../shared/messages.js";

/** Countries whose cards are checked against a postal code. */
const POSTAL_COUNTRIES = ["US", "CA", "GB", "PR"];

const CARD_INPUTS = ["cardNumber", "cardExpiry", "cardCvc"];

const ADDRESS_OF_MAIL = /^[^@\s]+@[^@\s]+\.[^@\s.]+$/;

/** The form in which a customer pays. Each field's error stands below it; what is about no field, above the button. */
export class CheckoutForm {
  /** @type {"idle" | "processing" | "success"} */
  #state = "idle";
  #form;
  #button;
  /** @type {Map<string, MaskedInput>} */
  #card = new Map();

  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.#form = form;
    this.#button = /** @type {HTMLButtonElement} */ (form.querySelector(".SubmitButton"));
    const number = this.#mask("cardNumber", NUMBER);
    this.#mask("cardExpiry", expiryFormat(() => new Date()));
    this.#mask("cardCvc", cvcFormat(() => brandOf(number.value)));
    form.addEventListener("input", (event) => this.#edited(event));
    form.addEventListener("change", (event) => this.#edited(event));
    this.#askForPostalCode();
    this.#showButton();
  }

  /** @param {() => Promise<void>} pay called when the button was pressed, and nothing else is going on */
  onSubmit(pay) {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#state === "idle") void pay();
    });
    this.#button.disabled = false; // before that the browser would send the form itself
  }

  /** @returns {Record<string, string>} what was typed, by the names of the fields */
  values() {
    return Object.fromEntries([...new FormData(this.#form)].map(([name, value]) => [name, String(value)]));
  }

  /** What the page says is wrong, if anything is. */
  get error() {
    const shown = this.#form.querySelector(".FieldError:not([hidden]), #form-error:not([hidden])");
    return shown?.textContent ?? "";
  }

  /**
   * Types a card, and what else stands beside it.
   *
   * @param {{number: string, expiry: string, cvc: string, postal: string}} card
   */
  type({ number, expiry, cvc, postal }) {
    const values = { cardNumber: number, cardExpiry: expiry, cardCvc: cvc };
    for (const [id, value] of Object.entries(values)) this.#card.get(id)?.set(value);
    const beside = { email: "customer@example.com", billingName: "Test Customer", billingPostalCode: postal };
    for (const [id, value] of Object.entries(beside)) {
      const input = /** @type {HTMLInputElement | null} */ (document.getElementById(id));
      if (input && !input.value) input.value = value;
    }
    this.#showButton();
  }

  /** Shows what is missing or wrong, if anything is. @returns {boolean} whether everything is fine */
  check() {
    this.#clearErrors();
    const wrong = this.#fields().filter((input) => this.#problem(input) !== null);
    for (const input of wrong.reverse()) this.#showAt(input, this.#problem(input) ?? "");
    wrong.at(-1)?.focus();
    return wrong.length === 0;
  }

  /**
   * @param {string | null} field
   * @param {string} message
   */
  showError(field, message) {
    const input =
      this.#fields().find((candidate) => candidate.id === field) ??
      /** @type {HTMLInputElement | null} */ (document.querySelector(`#summary #${CSS.escape(field ?? "none")}`));
    if (input) {
      this.#showAt(input, message);
      input.focus();
      return;
    }
    const card = document.getElementById("cardNumber");
    const line = document.getElementById(card?.matches(":enabled") ? "card-error" : "form-error");
    if (line) {
      line.textContent = message;
      line.hidden = false;
      line.setAttribute("role", "alert");
      line.scrollIntoView({ block: "nearest" });
    }
  }

  /** @param {"idle" | "processing" | "success"} state */
  setState(state) {
    this.#state = state;
    this.#form.toggleAttribute("aria-busy", state !== "idle");
    this.#showButton();
  }

  /**
   * @param {boolean} due whether there is anything to pay, so that a card is asked for
   * @param {string} text what the button says
   */
  setDue(due, text) {
    const card = /** @type {HTMLFieldSetElement} */ (this.#form.querySelector("[data-card]"));
    card.disabled = card.hidden = !due;
    const label = this.#button.querySelector(".SubmitButton-Text--current");
    if (label) label.textContent = text;
    this.#showButton();
  }

  /** @param {string} id @param {import("../frames/formats.js").InputFormat} format */
  #mask(id, format) {
    const element = /** @type {HTMLInputElement} */ (document.getElementById(id));
    const masked = new MaskedInput(element, format, ({ inserted, atEnd }) => {
      if (id === "cardNumber") this.#card.get("cardCvc")?.refresh();
      if (inserted && atEnd && format.isFull(masked.value)) this.#goOn(id);
    });
    masked.set(element.value);
    this.#card.set(id, masked);
    return masked;
  }

  /** @param {string} id of an input of the card that is full */
  #goOn(id) {
    const next = CARD_INPUTS[CARD_INPUTS.indexOf(id) + 1];
    if (document.activeElement?.id === id && next && !this.#card.get(next)?.value) document.getElementById(next)?.focus();
  }

  /** @returns {(HTMLInputElement | HTMLSelectElement)[]} those that are asked for now */
  #fields() {
    return [...this.#form.querySelectorAll("input, select")].filter(
      /** @returns {field is HTMLInputElement | HTMLSelectElement} */ (field) =>
        (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) && field.matches(":enabled"),
    );
  }

  /** @param {HTMLInputElement | HTMLSelectElement} input @returns {string | null} */
  #problem(input) {
    const masked = this.#card.get(input.id);
    if (masked) {
      if (masked.isComplete) return null;
      const code = masked.format.findError(masked.value) ?? masked.format.incomplete;
      return MESSAGES.en.errors[code];
    }
    if (input instanceof HTMLInputElement && input.type === "checkbox") {
      return input.required && !input.checked ? "Required" : null;
    }
    if (input.required && !input.value.trim()) return "Required";
    return input.id === "email" && !ADDRESS_OF_MAIL.test(input.value.trim()) ? "Your email is invalid." : null;
  }

  /** @param {HTMLInputElement | HTMLSelectElement} input @param {string} message */
  #showAt(input, message) {
    const line = this.#errorOf(input);
    input.setAttribute("aria-invalid", "true");
    if (!line) return;
    line.textContent = message;
    line.hidden = false;
  }

  /** @param {Element} input */
  #errorOf(input) {
    return document.getElementById(input.getAttribute("aria-describedby") ?? "");
  }

  #clearErrors() {
    for (const line of this.#form.querySelectorAll(".FieldError, #form-error")) {
      line.toggleAttribute("hidden", true);
      line.textContent = "";
    }
    for (const input of this.#fields()) input.removeAttribute("aria-invalid");
  }

  /** @param {Event} event */
  #edited(event) {
    const input = /** @type {HTMLElement} */ (event.target);
    const line = this.#errorOf(input);
    if (line && input.getAttribute("aria-invalid") === "true") {
      input.removeAttribute("aria-invalid");
      line.hidden = true;
    }
    if (CARD_INPUTS.includes(input.id)) document.getElementById("card-error")?.toggleAttribute("hidden", true);
    if (input.id === "billingCountry") this.#askForPostalCode();
    this.#showButton();
  }

  #askForPostalCode() {
    const place = this.#form.querySelector("[data-postal]");
    const country = /** @type {HTMLSelectElement | null} */ (document.getElementById("billingCountry"));
    const input = /** @type {HTMLInputElement | null} */ (document.getElementById("billingPostalCode"));
    if (!place || !country || !input) return;
    input.disabled = !POSTAL_COUNTRIES.includes(country.value);
    place.toggleAttribute("hidden", input.disabled);
  }

  #showButton() {
    const ready = this.#fields().every((input) => this.#problem(input) === null);
    const shown = this.#state === "idle" ? (ready ? "complete" : "incomplete") : this.#state;
    this.#button.className = `SubmitButton SubmitButton--${shown}`;
    this.#button.setAttribute("aria-disabled", String(this.#state !== "idle"));
    const [text, busy] = /** @type {NodeListOf<HTMLElement>} */ (this.#button.querySelectorAll(".SubmitButton-Text"));
    text.hidden = this.#state !== "idle";
    busy.hidden = !text.hidden;
  }
}
