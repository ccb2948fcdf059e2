import { STYLE_PROPERTIES } from "../shared/style.js";

/** Where in the frame each variant of a style applies: to an input in that state, and to the icon of a field in it. */
const SELECTORS = Object.freeze(
  /** @type {Record<string, string>} */ ({
    base: "",
    empty: ".is-empty",
    complete: ".is-complete",
    invalid: ".is-invalid",
  }),
);

/**
 * An invalid input is red, unless the merchant has another colour for it.
 *
 * @type {import("../shared/style.js").StyleRule}
 */
const INVALID = { variant: "invalid", pseudo: "", declarations: { color: "#d3203f", "--icon-color": "#d3203f" } };

const ALLOWED = new Set(/** @type {string[]} */ (Object.values(STYLE_PROPERTIES)));
const PSEUDO = /^(::?[a-z-]+)?$/;

const sheet = new CSSStyleSheet();
document.adoptedStyleSheets = [sheet];

/**
 * Replaces the merchant's style. Only known properties are set, each through the CSSOM, so no value can end its rule.
 *
 * @param {import("../shared/style.js").StyleRule[]} rules
 */
export function applyStyle(rules) {
  sheet.replaceSync("");
  const others = rules.filter((rule) => rule.variant !== INVALID.variant);
  const invalid = rules.filter((rule) => rule.variant === INVALID.variant);
  for (const { variant, pseudo, declarations } of [...others, INVALID, ...invalid]) {
    const state = SELECTORS[variant];
    if (state === undefined || !PSEUDO.test(pseudo)) continue;
    addRule(`.InputElement${state}${pseudo}`, declarations, (property) => property !== "--icon-color");
    if (!pseudo.startsWith("::")) {
      const field = pseudo === ":focus" ? ":focus-within" : pseudo === ":disabled" ? ".is-disabled" : pseudo;
      addRule(`.ElementsApp${state}${field}`, declarations, (property) => property === "--icon-color");
    }
  }
}

/**
 * @param {string} selector
 * @param {Record<string, string>} declarations
 * @param {(property: string) => boolean} applies
 */
function addRule(selector, declarations, applies) {
  const properties = Object.entries(declarations).filter(([property]) => ALLOWED.has(property) && applies(property));
  if (properties.length === 0) return;
  const rule = sheet.cssRules[sheet.insertRule(`${selector} {}`, sheet.cssRules.length)];
  if (!(rule instanceof CSSStyleRule)) return;
  for (const [property, value] of properties) {
    rule.style.setProperty(property, value);
    // The browser colours what it filled in itself, and gives way to this property alone.
    if (property === "color" && selector.endsWith("autofill")) rule.style.setProperty("-webkit-text-fill-color", value);
  }
}
