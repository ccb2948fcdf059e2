import { MaskedInput } from "./masked-input.js";

/**
 * One input of a field with what is known of it: whether the shopper has left it, and what is wrong with it.
 *
 * @template {string} [N="number" | "expiry" | "cvc" | "postal"]
 */
export class CardInput {
  /** The shopper has left the input since it was last edited. */
  #left = false;
  /** The page has read the card since the input was last edited: now even an empty input is wrong. */
  #submitted = false;

  /**
   * @param {N} name
   * @param {HTMLInputElement} element
   * @param {import("./formats.js").InputFormat} format
   * @param {(input: CardInput<N>, edit: {inserted: boolean, atEnd: boolean}) => void} onEdit
   */
  constructor(name, element, format, onEdit) {
    this.name = name;
    this.input = new MaskedInput(element, format, (edit) => {
      this.#left = this.#submitted = false;
      onEdit(this, edit);
    });
  }

  get element() {
    return this.input.element;
  }

  get format() {
    return this.input.format;
  }

  get isEmpty() {
    return this.input.isEmpty;
  }

  get isComplete() {
    return this.input.isComplete;
  }

  get isFull() {
    return this.format.isFull(this.input.value);
  }

  /** @returns {string | null} a code; an input that is merely unfinished is wrong only once the shopper is elsewhere */
  get error() {
    const wrong = this.format.findError(this.input.value);
    if (wrong || this.isComplete) return wrong;
    return this.#submitted || (this.#left && !this.isEmpty) ? this.format.incomplete : null;
  }

  markLeft() {
    this.#left = true;
  }

  markSubmitted() {
    this.#submitted = true;
  }

  clear() {
    this.fill("");
  }

  /** @param {string} text as a person would write it */
  fill(text) {
    this.#left = this.#submitted = false;
    this.input.set(text);
  }

  /** Shows the state on the input, for its style and for screen readers. */
  show() {
    const { error } = this;
    const { classList } = this.element;
    classList.toggle("is-empty", this.isEmpty);
    classList.toggle("Input--empty", this.isEmpty);
    classList.toggle("is-complete", this.isComplete);
    classList.toggle("is-invalid", error !== null);
    this.element.setAttribute("aria-invalid", String(error !== null));
  }

  /** @param {"start" | "end" | "all"} caret */
  focus(caret) {
    this.element.focus();
    const { length } = this.element.value;
    if (caret === "all") this.element.select();
    else this.element.setSelectionRange(caret === "end" ? length : 0, caret === "end" ? length : 0);
  }
}
