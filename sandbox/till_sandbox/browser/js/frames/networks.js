/**
 * Which network a card is to be paid over, where it has two and the cardholder may choose.
 *
 * Source of the cards: Stripe's test cards of Cartes Bancaires. Of co-branded cards, only theirs come with a choice:
 * https://docs.stripe.com/co-badged-cards-compliance
 */

/** Networks by card number. @type {Readonly<Record<string, readonly string[]>>} */
const CO_BRANDED = Object.freeze({
  4000002500001001: ["cartes_bancaires", "visa"],
  5555552500001001: ["cartes_bancaires", "mastercard"],
});

/** @type {Readonly<Record<string, string>>} */
const NAMES = Object.freeze({ cartes_bancaires: "Cartes Bancaires", visa: "Visa", mastercard: "Mastercard" });

/** The list beside a card number in which its network is chosen; out of sight while there is nothing to choose. */
export class NetworkChoice {
  /** @type {readonly string[]} */
  available = [];
  #select;

  /** @param {HTMLSelectElement} select with one option, for no choice */
  constructor(select) {
    this.#select = select;
  }

  /** @returns {string | undefined} the network that was chosen */
  get chosen() {
    return this.#select.value || undefined;
  }

  /**
   * Offers the networks of a card, the first one that is preferred chosen already. The same card's choice stays.
   *
   * @param {string} number digits
   * @param {readonly string[]} preferred networks
   */
  offer(number, preferred) {
    const available = CO_BRANDED[number] ?? [];
    if (String(available) === String(this.available)) return;
    this.available = available;
    const [none] = this.#select.options;
    this.#select.replaceChildren(none, ...available.map((network) => new Option(NAMES[network], network)));
    this.#select.value = preferred.find((network) => available.includes(network)) ?? "";
    this.#select.hidden = available.length === 0;
  }

  /** @param {string} words saying what is chosen here */
  label(words) {
    this.#select.setAttribute("aria-label", words);
    this.#select.options[0].text = words;
  }

  /** @param {boolean} disabled */
  disable(disabled) {
    this.#select.disabled = disabled;
  }
}
