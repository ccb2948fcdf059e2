/**
 * A card field: the inputs of one frame, what they add up to, and the channel to the page. The page gets states and
 * never characters; the card itself is only given to the controller, a frame of the same origin.
 *
 * @typedef {object} Reading what the controller gets
 * @property {{code: string, message: string} | null} error the first thing wrong
 * @property {{number?: string, expMonth?: number, expYear?: number, cvc?: string, postalCode?: string, network?: string,
 *   billing?: {address: Record<string, string | undefined>}}} values
 */
import { textsFor } from "../shared/messages.js";
import { UNKNOWN_BRAND, brandNamed, brandOf } from "./brands.js";
import { CardInput } from "./card-input.js";
import { NUMBER, cvcFormat, expiryFormat, fullYear, postalCodeFormat } from "./formats.js";
import { loadFonts } from "./fonts.js";
import { Layout } from "./layout.js";
import { NetworkChoice } from "./networks.js";
import { connectToParent } from "./parent.js";
import { PostalCodeChild } from "./postal-code-child.js";
import { UNITED_STATES, postalFormatOf } from "./postal.js";
import { applyStyle } from "./styling.js";

const root = /** @type {HTMLFormElement} */ (document.querySelector(".ElementsApp"));
const kind = /** @type {import("../stripe/options.js").ElementType} */ (root.dataset.kind);
/** @type {Readonly<Record<string, string>>} */
const countries = JSON.parse(root.dataset.countries ?? "{}");

/** The brand of a card whose number is in another frame. */
let neighbourBrand = UNKNOWN_BRAND;
let lastState = "";
let hasFocus = false;

/** @type {import("../stripe/options.js").FieldOptions & {locale: string}} */
let options = {
  style: [],
  disabled: false,
  showIcon: kind === "card",
  iconStyle: "default",
  hidePostalCode: true,
  postalCode: null,
  placeholder: null,
  preferredNetwork: [],
  locale: "auto",
};

/** The format of the postal code that the card's country has; null where none is asked for. */
let postalFormat = /** @type {import("./postal.js").PostalFormat | null} */ (null);

/** @type {(name: string, payload?: unknown) => void} */
let notifyPage = () => undefined;

/** @type {Record<CardInput["name"], import("./formats.js").InputFormat>} */
const formats = {
  number: NUMBER,
  expiry: expiryFormat(() => new Date()),
  cvc: cvcFormat(currentBrand),
  postal: postalCodeFormat(() => postalFormat ?? UNITED_STATES),
};

const postalCodeChild = PostalCodeChild.in(root);
const allInputs = [...root.querySelectorAll("input"), ...(postalCodeChild ? [postalCodeChild.element] : [])].map(
  (element) => {
    const name = /** @type {CardInput["name"]} */ (element.dataset.part);
    return new CardInput(name, element, formats[name], afterEdit);
  },
);
const layout = new Layout(root, allInputs);
const select = root.querySelector("select");
const networks = select && new NetworkChoice(select);

root.addEventListener("focusin", () => report({ focused: true }));
root.addEventListener("focusout", afterLeaving);
root.addEventListener("keydown", afterKey);
root.addEventListener("change", () => report());
root.addEventListener("submit", (event) => event.preventDefault());

Object.assign(window, { readField });
start();

async function start() {
  // A fast script, or the browser itself, may have filled in the inputs before this script ran.
  for (const input of allInputs) if (input.element.value) input.fill(input.element.value);
  const { channel, options: given } = await connectToParent({
    focus: (/** @type {"start" | "end" | undefined} */ caret) => focusField(caret),
    blur: () => document.activeElement instanceof HTMLElement && document.activeElement.blur(),
    clear,
    fill: (/** @type {Partial<Record<CardInput["name"], string>>} */ card) => fillIn(card),
    update: ({ changesPostalCode, ...changes }) => applyOptions(changes, changesPostalCode),
    context: (/** @type {{brand?: string, locale?: string}} */ context) => applyContext(context),
  });
  document.dir = given.rtl ? "rtl" : "ltr";
  await loadFonts(given.fonts);
  notifyPage = (name, payload) => channel.notify(name, payload);
  // The page knows no state yet, whatever was typed meanwhile.
  lastState = "";
  if (given.brand !== undefined) neighbourBrand = brandNamed(given.brand);
  applyOptions(given, inputNamed("postal")?.isEmpty);
  layout.onHeight((height) => notifyPage("height", height));
  notifyPage("ready");
}

/**
 * Called by the controller when the card is wanted. What is missing shows from then on.
 *
 * @returns {Reading}
 */
function readField() {
  for (const input of inputs()) input.markSubmitted();
  report();
  const error = firstError();
  if (error) return { error, values: {} };
  /** @type {Reading["values"]} */
  const values = { postalCode: postalCode() || undefined };
  for (const { name, input } of inputs()) {
    if (name === "number") values.number = input.value;
    if (name === "expiry") values.expMonth = Number(input.value.slice(0, 2));
    if (name === "expiry") values.expYear = fullYear(input.value.slice(2), new Date());
    if (name === "cvc") values.cvc = input.value;
  }
  if (networks) values.network = networks.chosen;
  return { error: null, values };
}

function clear() {
  postalFormat = null;
  for (const input of allInputs) input.clear();
  arrangePostalCode();
  label();
  report();
}

/** A card comes in whole, as if it had been pasted input by input. @param {Partial<Record<CardInput["name"], string>>} card */
function fillIn(card) {
  for (const input of allInputs) {
    const text = card[input.name];
    if (text !== undefined) input.fill(text);
    if (input.name === "number") arrangePostalCode();
  }
  label();
  report();
}

/** @param {Partial<typeof options>} changes @param {boolean} [changesPostalCode] to the one in the changes */
function applyOptions(changes, changesPostalCode = false) {
  options = { ...options, ...changes };
  applyStyle(options.style);
  root.dataset.iconStyle = options.iconStyle;
  root.classList.toggle("has-icon", options.showIcon);
  root.classList.toggle("is-disabled", options.disabled);
  networks?.disable(options.disabled);
  for (const { element } of allInputs) element.disabled = options.disabled;
  arrangePostalCode();
  if (changesPostalCode && postalFormat) inputNamed("postal")?.fill(fitting([options.postalCode], postalFormat));
  label();
  report();
}

/** @param {{brand?: string, locale?: string}} context */
function applyContext({ brand, locale }) {
  if (locale !== undefined) options.locale = locale;
  if (brand !== undefined) neighbourBrand = brandNamed(brand);
  inputNamed("cvc")?.input.refresh();
  label();
  report();
}

/**
 * Asks for the postal code, or does not, as the card's country has it. While the country is not known, which is also
 * while another number is being typed, nothing changes; what was typed is kept for as long as it can be right.
 */
function arrangePostalCode() {
  const input = inputNamed("postal");
  if (!input || !postalCodeChild) return;
  const format = postalFormatOf(numberDigits(), countries);
  if (format && format !== postalFormat) {
    postalFormat = format;
    input.fill(fitting([input.element.value, options.postalCode], format));
  }
  if (format === null) postalFormat = null;
  postalCodeChild.show(postalFormat !== null && !options.hidePostalCode);
}

/** @param {(string | null)[]} texts @param {import("./postal.js").PostalFormat} format @returns {string} the first one that is whole */
function fitting(texts, format) {
  return texts.find((text) => text !== null && format.complete.test(format.clean(text))) ?? "";
}

/** Puts labels and placeholders on the inputs: they depend on the locale, and the postal code's on the card. */
function label() {
  const texts = textsFor(options.locale);
  networks?.label(texts.labels.network);
  for (const { name, element } of allInputs) {
    const word = name === "postal" ? (postalFormat ?? UNITED_STATES).word : name;
    element.setAttribute("aria-label", texts.labels[word]);
    element.placeholder = (kind !== "card" && options.placeholder) || placeholderOf(name, texts.placeholders[word]);
    if (name === "postal") element.inputMode = (postalFormat ?? UNITED_STATES).keyboard;
  }
}

/** @param {CardInput["name"]} name @param {string} text */
function placeholderOf(name, text) {
  return kind === "cardNumber" && name === "number" ? "1234 1234 1234 1234" : text;
}

/** @param {CardInput} input @param {{inserted: boolean, atEnd: boolean}} edit */
function afterEdit(input, { inserted, atEnd }) {
  if (input.name === "number") {
    inputNamed("cvc")?.input.refresh();
    arrangePostalCode();
    label();
  }
  report();
  if (inserted && atEnd && input.isFull) moveFocus(input, 1);
}

/** @param {FocusEvent} event */
function afterLeaving(event) {
  allInputs.find((input) => input.element === event.target)?.markLeft();
  report({ focused: event.relatedTarget !== null });
}

/** @param {KeyboardEvent} event */
function afterKey(event) {
  const input = allInputs.find(({ element }) => element === event.target);
  if (event.key === "Escape") notifyPage("escape");
  if (event.key === "Enter") notifyPage("submit");
  if (event.key === "Backspace" && input?.isEmpty && !event.repeat) {
    event.preventDefault();
    moveFocus(input, -1);
  }
}

/** @param {CardInput} input @param {1 | -1} step */
function moveFocus(input, step) {
  const order = inputs();
  const next = order[order.indexOf(input) + step];
  if (next) next.focus(step < 0 ? "end" : "all");
  else notifyPage("leave", step);
}

/**
 * The page has given this frame the focus, or is about to. An input that took it too soon would take it from the page
 * again, so it waits until this frame has it.
 *
 * @param {"start" | "end"} [caret] where the focus comes from another field; without it, it is wherever work is left
 */
function focusField(caret) {
  if (!document.hasFocus()) {
    window.addEventListener("focus", () => focusField(caret), { once: true });
    return;
  }
  const [first] = inputs();
  const unfinished = inputs().find((input) => !input.isComplete);
  if (caret) first.focus(caret === "start" ? "all" : "end");
  else if (!root.contains(document.activeElement)) (unfinished ?? first).focus("end");
}

/**
 * Shows the state in the frame, and tells the page when it has changed.
 *
 * @param {{focused?: boolean}} [change]
 */
function report({ focused = hasFocus } = {}) {
  hasFocus = focused;
  for (const input of allInputs) input.show();
  networks?.offer(numberDigits(), options.preferredNetwork);
  const error = firstError();
  const state = {
    empty: inputs().every((input) => input.isEmpty),
    complete: inputs().every((input) => input.isComplete),
    focused: hasFocus,
    autofilled: allInputs.some(({ element }) => element.matches(":-webkit-autofill")),
    brand: currentBrand().name,
    networks: networks?.available ?? [],
    postalCode: postalCode(),
    error,
  };
  root.classList.toggle("is-empty", state.empty);
  root.classList.toggle("is-complete", state.complete);
  root.classList.toggle("is-invalid", error !== null);
  layout.arrange({ brand: networks?.chosen ?? state.brand, invalid: error !== null });
  const written = JSON.stringify(state);
  if (written !== lastState) notifyPage("state", state);
  lastState = written;
}

/** @returns {Reading["error"]} */
function firstError() {
  const code = inputs()
    .map((input) => input.error)
    .find((error) => error !== null);
  return code ? { code, message: textsFor(options.locale).errors[code] } : null;
}

/** The inputs the shopper sees. */
function inputs() {
  return allInputs.filter(({ element }) => element.isConnected);
}

/** @param {CardInput["name"]} name */
function inputNamed(name) {
  return allInputs.find((input) => input.name === name);
}

/** What the shopper typed where a postal code is asked for; else what the page gave with the option `value`. */
function postalCode() {
  const input = inputNamed("postal");
  if (!input?.element.isConnected) return options.postalCode ?? "";
  return input.input.value.trim();
}

function numberDigits() {
  return inputNamed("number")?.input.value ?? "";
}

function currentBrand() {
  return inputNamed("number") ? brandOf(numberDigits()) : neighbourBrand;
}
