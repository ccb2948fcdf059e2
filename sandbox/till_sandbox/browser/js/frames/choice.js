/** A list to choose from, with what a `CardInput` has, so that a form can treat both alike. */
export class Choice {
  #submitted = false;
  #offered = "";

  /**
   * @param {string} name
   * @param {HTMLSelectElement} element
   * @param {(choice: Choice) => void} onEdit called when the shopper has chosen
   */
  constructor(name, element, onEdit) {
    this.name = name;
    this.element = element;
    element.addEventListener("change", () => {
      this.#submitted = false;
      onEdit(this);
    });
  }

  get value() {
    return this.element.value;
  }

  get isEmpty() {
    return this.element.value === "";
  }

  get isComplete() {
    return !this.isEmpty;
  }

  get isFull() {
    return false;
  }

  get error() {
    return this.#submitted && this.isEmpty ? "incomplete" : null;
  }

  markLeft() {}

  markSubmitted() {
    this.#submitted = true;
  }

  clear() {}

  /** @param {string} value kept only if it is in the list */
  fill(value) {
    this.#submitted = false;
    if ([...this.element.options].some((option) => option.value === value)) this.element.value = value;
  }

  /** @param {[string, string][]} options values and what they say; the choice stays if it is among them */
  offer(options) {
    if (options.map(String).join() === this.#offered) return;
    this.#offered = options.map(String).join();
    const chosen = this.element.value;
    this.element.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
    this.element.value = options.some(([value]) => value === chosen) ? chosen : (options[0]?.[0] ?? "");
  }

  show() {
    this.element.classList.toggle("Input--empty", this.isEmpty);
    this.element.classList.toggle("Input--invalid", this.error !== null);
    this.element.setAttribute("aria-invalid", String(this.error !== null));
  }

  focus() {
    this.element.focus();
  }
}
