import { readAppearance } from "../shared/appearance.js";

const sheet = new CSSStyleSheet();
document.adoptedStyleSheets = [sheet];

/** Variables that are set by hand now. @type {string[]} */
let lastVariables = [];

/**
 * Makes the form look as the page wishes. Each property is set through the CSSOM, so no value can end its rule.
 *
 * @param {unknown} given `appearance` as the page has it
 */
export function applyAppearance(given) {
  const { appearance } = readAppearance(given);
  const root = document.documentElement;
  root.dataset.theme = appearance.theme;
  root.dataset.labels = appearance.labels;
  root.dataset.inputs = appearance.inputs;
  for (const name of lastVariables) root.style.removeProperty(`--${name}`);
  for (const [name, value] of Object.entries(appearance.variables)) root.style.setProperty(`--${name}`, value);
  lastVariables = Object.keys(appearance.variables);
  sheet.replaceSync("");
  for (const { selector, looks } of appearance.rules) addLooks(selector, looks);
}

/** @param {string} selector checked @param {import("../shared/appearance.js").Looks} looks */
function addLooks(selector, looks) {
  // A state that the browser knows no pseudo-class for has a class, as Stripe has it.
  const written = selector.replace(/--focused$/, ":focus").replace(/:disabled|--disabled/, ":disabled");
  const rule = sheet.cssRules[sheet.insertRule(`${written} {}`, sheet.cssRules.length)];
  if (!(rule instanceof CSSStyleRule)) return;
  for (const [property, value] of Object.entries(looks)) rule.style.setProperty(property, value);
}
