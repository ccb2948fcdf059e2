/**
 * A field of a form inside an Element: its label, its control, and what is wrong with it below. One that is not asked for
 * is not in the document, as Stripe has it.
 *
 * @typedef {import("./card-input.js").CardInput<string> | import("./choice.js").Choice} Control
 */
export class FormField {
  #cell;
  #label;
  #mark;
  #said;
  #place = document.createComment("");

  /**
   * @param {HTMLElement} cell
   * @param {Control} control
   */
  constructor(cell, control) {
    this.#cell = cell;
    this.control = control;
    this.#label = /** @type {HTMLElement} */ (cell.querySelector(".p-FieldLabel-text"));
    this.#mark = /** @type {HTMLElement} */ (cell.querySelector(".p-FieldLabel-mark"));
    this.#said = /** @type {HTMLElement} */ (cell.querySelector(".p-FieldError"));
  }

  get name() {
    return this.control.name;
  }

  get isShown() {
    return this.#cell.isConnected;
  }

  /** @param {boolean} shown */
  show(shown) {
    if (shown === this.isShown) return;
    if (shown) this.#place.replaceWith(this.#cell);
    else this.#cell.replaceWith(this.#place);
  }

  /**
   * @param {string} text
   * @param {string} [mark] said after it to those who do not see the placeholder, or that it may stay empty
   */
  label(text, mark = "") {
    this.#label.textContent = text;
    this.#mark.textContent = mark && ` ${mark}`;
  }

  /** Shows the state of the control, and what is wrong with it. @param {(code: string) => string} wordsFor */
  showState(wordsFor) {
    const { control } = this;
    control.show();
    const { element, error } = control;
    element.classList.toggle("Input--invalid", error !== null);
    this.#cell.classList.toggle("is-invalid", error !== null);
    this.#cell.classList.toggle("is-filled", !control.isEmpty);
    const words = error === null ? "" : wordsFor(error);
    if (this.#said.textContent !== words) this.#said.textContent = words;
    this.#said.hidden = words === "";
  }
}
