import { MaskedInput } from "./masked-input.js";

/** One input of a field with what is known of it: whether the shopper has left it, and what is wrong with it. */
export class Cell {
  /** The shopper has left the input since it was last edited. */
  #left = false;
  /** The page has asked for the card since the input was last edited: now even an empty input is wrong. */
  #asked = false;

  /**
   * @param {"number" | "expiry" | "cvc" | "postal"} name
   * @param {HTMLInputElement} element
   * @param {import("./parts.js").Part} part
   * @param {(cell: Cell, edit: {inserted: boolean, atEnd: boolean}) => void} onEdit
   */
  constructor(name, element, part, onEdit) {
    this.name = name;
    this.input = new MaskedInput(element, part, (edit) => {
      this.#left = this.#asked = false;
      onEdit(this, edit);
    });
  }

  get element() {
    return this.input.element;
  }

  get part() {
    return this.input.part;
  }

  get isEmpty() {
    return this.input.isEmpty;
  }

  get isComplete() {
    return this.input.isComplete;
  }

  get isFull() {
    return this.part.isFull(this.input.value);
  }

  /** @returns {string | null} a code; an input that is merely unfinished is wrong only once the shopper is elsewhere */
  get error() {
    const wrong = this.part.findError(this.input.value);
    if (wrong || this.isComplete) return wrong;
    return this.#asked || (this.#left && !this.isEmpty) ? this.part.incomplete : null;
  }

  leave() {
    this.#left = true;
  }

  ask() {
    this.#asked = true;
  }

  clear() {
    this.fill("");
  }

  /** @param {string} text as a person would write it */
  fill(text) {
    this.#left = this.#asked = false;
    this.input.set(text);
  }

  /** Shows the state on the input, for its style and for screen readers. */
  show() {
    const { error } = this;
    this.element.classList.toggle("is-empty", this.isEmpty);
    this.element.classList.toggle("is-complete", this.isComplete);
    this.element.classList.toggle("is-invalid", error !== null);
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
