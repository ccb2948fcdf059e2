/**
 * A card field: the inputs of one frame, what they add up to, and the line to the page. The page is told states and
 * never characters; the card itself is only given to the controller, a frame of the same origin.
 *
 * @typedef {object} Reading what the controller gets
 * @property {{code: string, message: string} | null} error the first thing wrong
 * @property {{number?: string, expMonth?: number, expYear?: number, cvc?: string, postalCode?: string, network?: string}} values
 */
import { wordsOf } from "../shared/messages.js";
import { UNKNOWN_BRAND, brandNamed, brandOf } from "./brands.js";
import { Cell } from "./cell.js";
import { Layout } from "./layout.js";
import { NetworkChoice } from "./networks.js";
import { connectToParent } from "./parent.js";
import { NUMBER, cvcPart, expiryPart, fullYear, postalPart } from "./parts.js";
import { postalRulesOf } from "./postal.js";
import { applyStyle, loadFonts } from "./styling.js";

const root = /** @type {HTMLElement} */ (document.getElementById("field"));
const kind = /** @type {import("../stripe/options.js").ElementType} */ (root.dataset.kind);

/** The brand of a card whose number is in another frame. */
let neighbourBrand = UNKNOWN_BRAND;
let lastTold = "";
let hasFocus = false;

/** @type {import("../stripe/options.js").FieldOptions & {locale: string}} */
let options = {
  style: [],
  disabled: false,
  showIcon: kind === "card",
  iconStyle: "default",
  hidePostalCode: kind !== "card",
  postalCode: null,
  placeholder: null,
  preferredNetwork: [],
  locale: "auto",
};

/** @type {Record<Cell["name"], import("./parts.js").Part>} */
const parts = {
  number: NUMBER,
  expiry: expiryPart(() => new Date()),
  cvc: cvcPart(currentBrand),
  postal: postalPart(numberDigits),
};

/** @type {Cell[]} */
const allCells = [...root.querySelectorAll("input")].map((element) => {
  const name = /** @type {Cell["name"]} */ (element.dataset.part);
  return new Cell(name, element, parts[name], afterEdit);
});
const layout = new Layout(root, allCells);
const select = root.querySelector("select");
const networks = select && new NetworkChoice(select);

root.addEventListener("focusin", () => report({ focused: true }));
root.addEventListener("focusout", afterLeaving);
root.addEventListener("keydown", pressed);
root.addEventListener("change", () => report());

Object.assign(window, { readField });
start();

async function start() {
  const { line, options: given } = await connectToParent({
    focus: (/** @type {"start" | "end" | undefined} */ caret) => focusField(caret),
    blur: () => document.activeElement instanceof HTMLElement && document.activeElement.blur(),
    clear: () => {
      for (const cell of allCells) cell.clear();
      report();
    },
    fill: (/** @type {Partial<Record<Cell["name"], string>>} */ card) => fillIn(card),
    update: (changes) => adopt(changes),
    context: (/** @type {{brand?: string, locale?: string}} */ context) => adoptContext(context),
  });
  tell = (name, payload) => line.tell(name, payload);
  document.dir = given.rtl ? "rtl" : "ltr";
  adoptContext(given);
  await loadFonts(given.fonts);
  adopt(given);
  layout.onHeight((height) => tell("height", height));
  tell("ready");
}

/** @type {(name: string, payload?: unknown) => void} */
let tell = () => undefined;

/**
 * Called by the controller when the card is wanted. What is missing shows from then on.
 *
 * @returns {Reading}
 */
function readField() {
  for (const cell of cells()) cell.ask();
  report();
  const error = firstError();
  if (error) return { error, values: {} };
  /** @type {Reading["values"]} */
  const values = {};
  for (const { name, input } of cells()) {
    if (name === "number") values.number = input.value;
    if (name === "expiry") values.expMonth = Number(input.value.slice(0, 2));
    if (name === "expiry") values.expYear = fullYear(input.value.slice(2), new Date());
    if (name === "cvc") values.cvc = input.value;
    if (name === "postal") values.postalCode = input.value.trim();
  }
  if (networks) values.network = networks.chosen;
  return { error: null, values };
}

/** A card comes in whole, as if it had been pasted part by part. @param {Partial<Record<Cell["name"], string>>} card */
function fillIn(card) {
  for (const cell of cells()) cell.fill(card[cell.name] ?? cell.input.value);
  label();
  report();
}

/** @param {Partial<typeof options>} changes */
function adopt(changes) {
  options = { ...options, ...changes };
  applyStyle(options.style);
  root.dataset.iconStyle = options.iconStyle;
  root.classList.toggle("has-icon", options.showIcon);
  root.classList.toggle("is-disabled", options.disabled);
  networks?.disable(options.disabled);
  for (const { name, element } of allCells) {
    element.disabled = options.disabled;
    if (name === "postal") element.hidden = options.hidePostalCode;
  }
  if (typeof changes.postalCode === "string") cellNamed("postal")?.input.set(changes.postalCode);
  label();
  report();
}

/** @param {{brand?: string, locale?: string}} context */
function adoptContext({ brand, locale }) {
  if (locale !== undefined) options.locale = locale;
  if (brand !== undefined) neighbourBrand = brandNamed(brand);
  label();
  report();
}

/** Puts words on the inputs: they depend on the locale, and the postal code's on the card. */
function label() {
  const words = wordsOf(options.locale);
  networks?.label(words.labels.network);
  for (const { name, element } of allCells) {
    const rules = postalRulesOf(numberDigits());
    const word = name === "postal" ? rules.word : name;
    element.setAttribute("aria-label", words.labels[word]);
    element.placeholder = (kind !== "card" && options.placeholder) || placeholderOf(name, words.placeholders[word]);
    if (name === "postal") element.inputMode = rules.keyboard;
  }
}

/** @param {Cell["name"]} name @param {string} word */
function placeholderOf(name, word) {
  return kind === "cardNumber" && name === "number" ? "1234 1234 1234 1234" : word;
}

/** @param {Cell} cell @param {{inserted: boolean, atEnd: boolean}} edit */
function afterEdit(cell, { inserted, atEnd }) {
  if (cell.name === "number") {
    cellNamed("cvc")?.input.refresh();
    cellNamed("postal")?.input.refresh();
    label();
  }
  report();
  if (inserted && atEnd && cell.isFull) moveFocus(cell, 1);
}

/** @param {FocusEvent} event */
function afterLeaving(event) {
  allCells.find((cell) => cell.element === event.target)?.leave();
  report({ focused: event.relatedTarget !== null });
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  const cell = allCells.find(({ element }) => element === event.target);
  if (event.key === "Escape") tell("escape");
  if (event.key === "Enter") tell("submit");
  if (event.key === "Backspace" && cell?.isEmpty && !event.repeat) {
    event.preventDefault();
    moveFocus(cell, -1);
  }
}

/** @param {Cell} cell @param {1 | -1} step */
function moveFocus(cell, step) {
  const order = cells();
  const next = order[order.indexOf(cell) + step];
  if (next) next.focus(step < 0 ? "end" : "all");
  else tell("leave", step);
}

/**
 * The page has given this frame the focus, or is about to. An input that asked for it too soon would fight with the
 * page over which frame has it, so it waits until this one does.
 *
 * @param {"start" | "end"} [caret] where the focus comes from another field; without it, it is wherever work is left
 */
function focusField(caret) {
  if (!document.hasFocus()) {
    window.addEventListener("focus", () => focusField(caret), { once: true });
    return;
  }
  const [first] = cells();
  const unfinished = cells().find((cell) => !cell.isComplete);
  if (caret) first.focus(caret === "start" ? "all" : "end");
  else if (!root.contains(document.activeElement)) (unfinished ?? first).focus("end");
}

/**
 * Shows the state in the frame, and tells the page when it is another.
 *
 * @param {{focused?: boolean}} [change]
 */
function report({ focused = hasFocus } = {}) {
  hasFocus = focused;
  for (const cell of allCells) cell.show();
  networks?.offer(numberDigits(), options.preferredNetwork);
  const error = firstError();
  const state = {
    empty: cells().every((cell) => cell.isEmpty),
    complete: cells().every((cell) => cell.isComplete),
    focused: hasFocus,
    autofilled: allCells.some(({ element }) => element.matches(":-webkit-autofill")),
    brand: currentBrand().name,
    networks: networks?.available ?? [],
    postalCode: cellNamed("postal")?.input.value ?? "",
    error,
  };
  root.classList.toggle("is-empty", state.empty);
  root.classList.toggle("is-complete", state.complete);
  root.classList.toggle("is-invalid", error !== null);
  layout.arrange({ brand: networks?.chosen ?? state.brand, invalid: error !== null });
  const told = JSON.stringify(state);
  if (told !== lastTold) tell("state", state);
  lastTold = told;
}

/** @returns {Reading["error"]} */
function firstError() {
  const code = cells()
    .map((cell) => cell.error)
    .find((error) => error !== null);
  return code ? { code, message: wordsOf(options.locale).errors[code] } : null;
}

/** The inputs the shopper sees. */
function cells() {
  return allCells.filter(({ name }) => name !== "postal" || !options.hidePostalCode);
}

/** @param {Cell["name"]} name */
function cellNamed(name) {
  return allCells.find((cell) => cell.name === name);
}

function numberDigits() {
  return cellNamed("number")?.input.value ?? "";
}

function currentBrand() {
  return cellNamed("number") ? brandOf(numberDigits()) : neighbourBrand;
}
