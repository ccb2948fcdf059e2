/**
 * A form inside an Element: the card form of the Payment Element, an address, an e-mail address. The page gets the states,
 * and what is no part of a card; the card itself is only given to the controller, a frame of the same origin.
 *
 * @typedef {object} FormOptions what the page says
 * @property {string} locale
 * @property {boolean} rtl
 * @property {unknown} appearance
 * @property {{family: string, source: string, descriptors: FontFaceDescriptors}[]} fonts
 * @property {boolean} readOnly
 * @property {string[]} hidden names of fields that are not asked for
 * @property {string[]} optional names of fields that may stay empty
 * @property {Record<string, string>} values to start with, by the names of fields
 * @property {string[] | null} countries to choose from; null for all
 * @property {"full" | "split" | "organization"} nameDisplay
 * @property {"" | "billing" | "shipping"} section of what browsers fill in
 * @property {string | null} terms whom the card is saved for, if that is to be said
 * @property {string[]} preferredNetwork
 */
import { formTextsFor } from "../shared/form-texts.js";
import { textsFor } from "../shared/messages.js";
import { brandOf } from "./brands.js";
import { Choice } from "./choice.js";
import { loadFonts } from "./fonts.js";
import { FormFields, valueOf } from "./form-fields.js";
import { EMAIL, OPTIONAL, REQUIRED, addressPostalFormat } from "./form-formats.js";
import { countriesIn, isAskedFor, labelOf, publicCode } from "./form-rules.js";
import { NUMBER, cvcFormat, expiryFormat, fullYear } from "./formats.js";
import { applyAppearance } from "./looks.js";
import { NetworkChoice } from "./networks.js";
import { connectToParent } from "./parent.js";
import { regionsOf } from "./regions.js";

const root = /** @type {HTMLFormElement} */ (document.querySelector(".ElementsApp"));
const kind = root.dataset.kind ?? "";
const isPayment = kind === "payment";

/** The parts of a card, between which the focus moves on by itself. */
const CARD_PARTS = ["number", "expiry", "cvc"];

/** @type {FormOptions} */
let options = {
  locale: "auto",
  rtl: false,
  appearance: {},
  fonts: [],
  readOnly: false,
  hidden: [],
  optional: [],
  values: {},
  countries: null,
  nameDisplay: "full",
  section: "",
  terms: null,
  preferredNetwork: [],
};
let lastState = "";
let lastHeight = 0; // CSS pixels
let hasFocus = false;

/** @type {(name: string, payload?: unknown) => void} */
let notifyPage = () => undefined;

/** @type {Record<string, import("./formats.js").InputFormat>} */
const formats = {
  number: NUMBER,
  expiry: expiryFormat(() => new Date()),
  cvc: cvcFormat(() => brandOf(fields.value("number") ?? "")),
  postalCode: addressPostalFormat(country),
  addressLine2: OPTIONAL,
  email: EMAIL,
};

const fields = new FormFields(root, withOptional, afterEdit);
const networkList = root.querySelector("select.CardBrandChoiceDropdown");
const networks = networkList instanceof HTMLSelectElement ? new NetworkChoice(networkList) : null;
const terms = root.querySelector(".TermsText");

root.addEventListener("focusin", () => report({ focused: true }));
root.addEventListener("focusout", (event) => {
  fields.of(event.target)?.control.markLeft();
  report({ focused: event.relatedTarget !== null });
});
root.addEventListener("keydown", afterKey);
root.addEventListener("change", () => report());
root.addEventListener("submit", (event) => event.preventDefault());

Object.assign(window, { readField });
start();

async function start() {
  // A fast script, or the browser itself, may have filled in the inputs before this script ran.
  const typed = fields.all.filter(({ control }) => !(control instanceof Choice) && control.element.value);
  for (const { control } of typed) control.fill(control.element.value);
  const { channel, options: given } = await connectToParent({
    focus: () => focusForm(),
    blur: () => document.activeElement instanceof HTMLElement && document.activeElement.blur(),
    clear,
    fill: (/** @type {Record<string, string>} */ card) => fillIn({ ...card, postalCode: card.postal ?? "" }),
    update: (/** @type {Partial<FormOptions>} */ changes) => applyOptions(changes),
    validate,
  });
  document.dir = given.rtl ? "rtl" : "ltr";
  await loadFonts(given.fonts);
  notifyPage = (name, payload) => channel.notify(name, payload);
  lastState = "";
  lastHeight = 0;
  applyOptions(given);
  startWith(
    options.values,
    typed.map(({ name }) => name),
  );
  if (fields.all.length > 0) new ResizeObserver(reportHeight).observe(document.body);
  notifyPage("ready");
}

/**
 * Fills in what the page knows: the country first, which says what the other fields are.
 *
 * @param {Record<string, string>} values by the names of fields
 * @param {string[]} typed names of fields that have something already
 */
function startWith(values, typed) {
  if (values.country) fields.list("country")?.fill(values.country);
  arrange();
  for (const [name, value] of Object.entries(values)) {
    if (!typed.includes(name)) fields.named(name)?.control.fill(value);
  }
  arrange();
}

/** A page that hides the Element for a while finds it as high as it was. */
function reportHeight() {
  const { height } = document.body.getBoundingClientRect();
  if (height === lastHeight || height === 0) return;
  lastHeight = height;
  notifyPage("height", height);
}

/**
 * Called by the controller when what was typed is wanted. What is missing shows from then on.
 *
 * @returns {import("./field.js").Reading}
 */
function readField() {
  const error = validate();
  if (error) return { error, values: {} };
  const expiry = fields.value("expiry") ?? "";
  return {
    error: null,
    values: {
      number: fields.value("number"),
      expMonth: Number(expiry.slice(0, 2)),
      expYear: fullYear(expiry.slice(2), new Date()),
      cvc: fields.value("cvc"),
      network: networks?.chosen,
      billing: { address: { country: fields.value("country"), postal_code: fields.value("postalCode") } },
    },
  };
}

/** Shows what is missing or wrong, and leads to the first of it. @returns {{code: string, message: string} | null} */
function validate() {
  for (const { control } of fields.shown) control.markSubmitted();
  report();
  const wrong = fields.shown.find(({ control }) => control.error !== null);
  if (!wrong) return null;
  focusForm(wrong);
  return errorOf(wrong);
}

function clear() {
  for (const { control } of fields.all) control.clear();
  arrange();
}

/** @param {Record<string, string>} typed what a person would write, by the names of fields */
function fillIn(typed) {
  for (const { name, control } of fields.all) if (typed[name]) control.fill(typed[name]);
  arrange();
}

/** @param {Partial<FormOptions>} changes */
function applyOptions(changes) {
  options = { ...options, ...changes };
  applyAppearance(options.appearance);
  for (const { control } of fields.all) {
    const { element } = control;
    element.disabled = options.readOnly;
    const hint = element.getAttribute("autocomplete")?.split(" ").at(-1) ?? "";
    if (options.section) element.setAttribute("autocomplete", `${options.section} ${hint}`);
  }
  networks?.disable(options.readOnly);
  offerCountries();
  arrange();
}

/** Puts the fields there that are asked for, with the words they have where the customer lives. */
function arrange() {
  const texts = formTextsFor(options.locale);
  const form = { ...options, isPayment, country: country(), texts };
  for (const field of fields.all) field.show(isAskedFor(field.name, field.control instanceof Choice, form));
  fields.list("administrativeArea")?.offer([["", texts.choose], ...regionsOf(country())]);
  for (const field of fields.shown) {
    const optional = options.optional.includes(field.name) || field.name === "addressLine2" ? texts.optional : "";
    field.label(labelOf(field.name, form), field.name === "expiry" ? texts.expiryMark : optional);
  }
  fields.input("cvc")?.input.refresh();
  const [expiry, postalCode] = [fields.input("expiry"), fields.input("postalCode")];
  if (expiry) expiry.element.placeholder = texts.expiryMark;
  if (postalCode) {
    postalCode.element.inputMode = country() === "US" ? "numeric" : "text";
    postalCode.element.placeholder = isPayment && country() === "US" ? "12345" : "";
  }
  networks?.label(textsFor(options.locale).labels.network);
  if (terms instanceof HTMLElement) {
    terms.hidden = options.terms === null;
    terms.textContent = texts.terms.replace("{business}", options.terms ?? "");
  }
  report();
}

/** The countries to choose from, by their names in the shopper's language; the page may have chosen some. */
function offerCountries() {
  const choice = fields.list("country");
  if (!choice) return;
  const locale = options.locale === "auto" ? navigator.language : options.locale;
  const codes = [...choice.element.options].map(({ value }) => value);
  const offered = options.countries ? codes.filter((code) => options.countries?.includes(code)) : codes;
  if (!locale.startsWith("en") || offered.length < codes.length) choice.offer(countriesIn(locale, offered));
}

/** @param {import("./card-input.js").CardInput<string> | null} typedInto */
function afterEdit(typedInto) {
  arrange();
  if (!typedInto?.isFull || !CARD_PARTS.includes(typedInto.name)) return;
  const order = fields.shown;
  order[order.findIndex(({ control }) => control === typedInto) + 1]?.control.focus("all");
}

/** @param {KeyboardEvent} event */
function afterKey(event) {
  if (event.key === "Escape") notifyPage("escape");
  if (event.key === "Enter" && event.target instanceof HTMLInputElement) notifyPage("submit");
}

/**
 * The page has given this frame the focus, or is about to: a field that took it too soon would take it from the page again.
 *
 * @param {import("./form-field.js").FormField} [wanted] or else the first one where work is left
 */
function focusForm(wanted) {
  if (!document.hasFocus()) {
    window.addEventListener("focus", () => focusForm(wanted), { once: true });
    if (wanted) notifyPage("wantsFocus");
    return;
  }
  const field = wanted ?? fields.shown.find(({ control }) => !control.isComplete) ?? fields.shown[0];
  if (wanted || !root.contains(document.activeElement)) field?.control.focus("end");
}

/** Shows the state in the frame, and tells the page when it has changed. @param {{focused?: boolean}} [change] */
function report({ focused = hasFocus } = {}) {
  hasFocus = focused;
  for (const field of fields.all) field.showState(wordsFor);
  const number = fields.value("number") ?? "";
  networks?.offer(number, options.preferredNetwork);
  showBrand(networks?.chosen ?? brandOf(number).name);
  const wrong = fields.shown.find(({ control }) => control.error !== null);
  const state = {
    empty: fields.shown.every(({ control }) => control.isEmpty || control instanceof Choice),
    complete: fields.shown.every(({ control }) => control.isComplete),
    focused: hasFocus,
    autofilled: fields.all.some(({ control }) => control.element.matches(":-webkit-autofill")),
    error: wrong ? errorOf(wrong) : null,
    values: valuesForPage(),
  };
  const written = JSON.stringify(state);
  if (written === lastState) return;
  lastState = written;
  // Before the state, so that a button below has moved already when the page hears that the form is complete.
  if (fields.all.length > 0) reportHeight();
  notifyPage("state", state);
}

/** What was typed, by the names of the fields, without what is part of a card. */
function valuesForPage() {
  const said = fields.shown.filter(({ name }) => !CARD_PARTS.includes(name));
  return Object.fromEntries(said.map(({ name, control }) => [name, valueOf(control).trim()]));
}

/** @param {string} brand */
function showBrand(brand) {
  const use = root.querySelector(".CardBrandIcon-container use");
  if (use?.getAttribute("href") !== `#mark-${brand}`) use?.setAttribute("href", `#mark-${brand}`);
}

/** @param {string} code */
function wordsFor(code) {
  /** @type {Record<string, string>} */
  const known = { ...textsFor(options.locale).errors, ...formTextsFor(options.locale) };
  return known[code];
}

/** @param {import("./form-field.js").FormField} field @returns {{code: string, message: string} | null} */
function errorOf({ name, control: { error } }) {
  return error === null ? null : { code: publicCode(name, error), message: wordsFor(error) };
}

/** @param {string} name @returns {import("./formats.js").InputFormat} that is complete without anything where it may stay empty */
function withOptional(name) {
  const format = formats[name] ?? REQUIRED;
  const isComplete = (/** @type {string} */ value) =>
    format.isComplete(value) || (value === "" && options.optional.includes(name));
  return { ...format, isComplete };
}

function country() {
  const choice = fields.list("country");
  return choice ? choice.value : "US";
}
