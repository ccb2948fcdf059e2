/**
 * An input that writes what is typed in its format, and keeps the caret where the shopper expects it, however
 * characters come in: typed, pasted, dropped, dictated, filled in by the browser.
 */
export class MaskedInput {
  /** What was typed, without what is written between. */
  value = "";
  #element;
  #format;
  #onEdit;

  /**
   * @param {HTMLInputElement} element
   * @param {import("./formats.js").InputFormat} format
   * @param {(edit: {inserted: boolean, atEnd: boolean}) => void} onEdit called after each edit by the shopper
   */
  constructor(element, format, onEdit) {
    this.#element = element;
    this.#format = format;
    this.#onEdit = onEdit;
    element.addEventListener("beforeinput", (event) => this.#stepOverSeparator(event));
    element.addEventListener("input", (event) => this.#rewrite(event));
  }

  get element() {
    return this.#element;
  }

  get format() {
    return this.#format;
  }

  get isEmpty() {
    return this.value === "";
  }

  get isComplete() {
    return this.#format.isComplete(this.value);
  }

  /** @param {string} raw */
  set(raw) {
    const typing = { deleting: false };
    this.value = this.#format.clean(raw, typing);
    this.#element.value = this.#format.write(this.value, typing);
  }

  /** Writes the value anew, for when the rules have changed. */
  refresh() {
    const raw = this.#element.value;
    this.value = this.#format.clean(raw, { deleting: false });
    const text = this.#format.write(this.value, { deleting: true });
    if (text.replace(/\D+$/, "") !== raw.replace(/\D+$/, "")) this.#element.value = text;
  }

  /**
   * Backspace right after a separator is meant for the character before it.
   *
   * @param {InputEvent} event
   */
  #stepOverSeparator(event) {
    const { selectionStart: start, selectionEnd: end, value } = this.#element;
    if (start === null || start !== end) return;
    const step = { deleteContentBackward: -1, deleteContentForward: 1 }[event.inputType];
    if (!step) return;
    const next = (/** @type {number} */ caret) => value[step < 0 ? caret - 1 : caret];
    let caret = start;
    while (next(caret) !== undefined && !this.#counts(next(caret))) caret += step;
    if (caret !== start) this.#element.setSelectionRange(caret, caret);
  }

  /** @param {Event} event */
  #rewrite(event) {
    const inputType = event instanceof InputEvent ? event.inputType : "";
    const typing = { deleting: inputType.startsWith("delete") };
    const raw = this.#element.value;
    const caret = this.#element.selectionStart ?? raw.length;
    const atEnd = caret === raw.length;
    const before = this.#countIn(raw.slice(0, caret));
    this.value = this.#format.clean(raw, typing);
    const text = this.#format.write(this.value, typing);
    // Left alone when nothing changes, so that the browser's own undo keeps working.
    if (text !== raw) {
      this.#element.value = text;
      const place = atEnd ? text.length : this.#placeAfter(text, before, typing.deleting);
      this.#element.setSelectionRange(place, place);
    }
    this.#onEdit({ inserted: !typing.deleting, atEnd: this.#element.selectionStart === text.length });
  }

  /** @param {string} character */
  #counts(character) {
    return this.#format.counts.test(character);
  }

  /** @param {string} text */
  #countIn(text) {
    return [...text].filter((character) => this.#counts(character)).length;
  }

  /**
   * @param {string} text
   * @param {number} count
   * @param {boolean} deleting then the caret stays in front of a separator; otherwise it goes behind it
   * @returns {number} the place in the text after that many characters that count
   */
  #placeAfter(text, count, deleting) {
    let place = 0;
    for (let seen = 0; place < text.length && seen < count; place += 1) {
      if (this.#counts(text[place])) seen += 1;
    }
    while (!deleting && place < text.length && !this.#counts(text[place])) place += 1;
    return place;
  }
}
