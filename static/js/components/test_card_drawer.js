// The drawer of test cards: a dialog with all of them, and a search.

import { showMatching } from "../word_filter.js";

const TIMEOUT = 10_000; // milliseconds

export class TestCardDrawer {
  /** @param {HTMLDialogElement} dialog @param {(card: HTMLElement) => void} take  called with the card that is chosen */
  constructor(dialog, take) {
    this.dialog = dialog;
    this.search = /** @type {HTMLInputElement} */ (this.part("search"));
    this.everything = this.part("count").textContent ?? "";
    this.part("close").addEventListener("click", () => this.close());
    // A click beside the drawer lands on the dialog itself.
    dialog.addEventListener("click", (event) => event.target === dialog && this.close());
    this.search.addEventListener("input", () => this.filter());
    this.search.addEventListener("keydown", (event) => {
      const first = this.part("list").querySelector("[data-part=card]:not([hidden]) button");
      if (event.key !== "Enter" || event.isComposing || !this.search.value.trim()) return;
      if (!(first instanceof HTMLElement)) return;
      event.preventDefault();
      take(first);
    });
    this.part("list").addEventListener("click", (event) => {
      const card = event.target instanceof Element ? event.target.closest("button") : null;
      if (card) take(card);
    });
  }

  /**
   * Ask the store for it, and put it at the end of `place` once its styles are there.
   *
   * @param {string} address @param {HTMLElement} place
   * @returns {Promise<HTMLDialogElement>} rejects where it does not arrive
   */
  static async load(address, place) {
    const answer = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT) });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const { head, body } = new DOMParser().parseFromString(await answer.text(), "text/html");
    const style = /** @type {HTMLLinkElement} */ (head.querySelector("link"));
    const dialog = /** @type {HTMLDialogElement} */ (body.querySelector("dialog"));
    await new Promise((resolve, reject) => {
      style.addEventListener("load", resolve);
      style.addEventListener("error", reject);
      document.head.append(style);
    });
    place.append(dialog);
    return dialog;
  }

  open() {
    this.filter();
    this.dialog.showModal();
    // Not on a telephone, where the keyboard would cover the cards.
    if (matchMedia("(pointer: fine)").matches) this.search.select();
  }

  close() {
    this.dialog.close();
  }

  filter() {
    const searched = this.search.value;
    const found = showMatching(this.part("list"), searched, { entry: "[data-part=card]", group: "[data-part=group]" });
    this.part("count").textContent = searched.trim() ? `${found} found.` : this.everything;
    this.part("none").hidden = found > 0;
  }

  /** @param {string} name @returns {HTMLElement} */
  part(name) {
    return /** @type {HTMLElement} */ (this.dialog.querySelector(`[data-part="${name}"]`));
  }
}
