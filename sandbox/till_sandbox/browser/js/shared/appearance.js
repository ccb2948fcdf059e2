/**
 * What a page may say about the looks of a form inside an Element. Both sides use it: the page to warn about the rest, and
 * the frame, which trusts nobody, to drop it.
 *
 * Source: `Appearance` in @stripe/stripe-js, and https://docs.stripe.com/elements/appearance-api
 *
 * @typedef {Record<string, string>} Looks names and values
 * @typedef {object} ReadAppearance
 * @property {string} theme
 * @property {Looks} variables
 * @property {{selector: string, looks: Looks}[]} rules CSS properties by the selector that they are for
 * @property {"above" | "floating"} labels
 * @property {"spaced" | "condensed"} inputs
 */

const THEMES = ["stripe", "night", "flat"];

/** A variable is a custom property of that name in the frame. */
const VARIABLE = /^[a-z][A-Za-z0-9]{2,60}$/;

/** Newer names of variables, by those they had before. */
const RENAMED = Object.freeze(
  /** @type {Record<string, string>} */ ({
    spacingGridRow: "gridRowSpacing",
    spacingGridColumn: "gridColumnSpacing",
    colorIcon: "iconColor",
    colorIconCardError: "iconCardErrorColor",
    colorIconCardCvc: "iconCardCvcColor",
    colorDangerText: "accessibleColorOnColorDanger",
  }),
);

/** Classes of the frame that rules are for; of those that are not there, a rule is taken and seen nowhere. */
const SELECTOR =
  /^\.(Accordion|AccordionItem|Action|Block|BlockAction|BlockDivider|Checkbox|CheckboxInput|CheckboxLabel|CodeInput|Dropdown|DropdownItem|Error|Input|InputDivider|Label|Link|MenuAction|MenuIcon|Menu|PickerAction|PickerItem|RadioIcon|RadioIconInner|RadioIconOuter|RedirectText|SecondaryLink|Spinner|Switch|SwitchControl|Tab|TabIcon|TabLabel|TermsLink|TermsText|Text|WalletButton)(--[a-z]+)*(::?[a-z-]+)*$/;

/** CSS properties a rule may set: nothing that moves a part out of its place or hides it. */
const PROPERTY =
  /^(background(Color)?|border[A-Za-z]*|boxShadow|color|fill|fillOpacity|font[A-Za-z]*|letterSpacing|lineHeight|margin[A-Za-z]*|opacity|outline[A-Za-z]*|padding[A-Za-z]*|stroke|strokeWidth|textDecoration|textShadow|textTransform|transition|(webkit|moz|-webkit-|-moz-)[A-Za-z-]*(Smoothing|TextFillColor|smoothing|fill-color)|display|overflow|textAlign|gap|rowGap|columnGap|width|height|minHeight)$/;

/**
 * @param {unknown} given
 * @returns {{appearance: ReadAppearance, ignored: string[]}} with the paths of what is not known
 */
export function readAppearance(given) {
  const { theme = "stripe", variables, rules, labels, inputs, disableAnimations, ...others } = asRecord(given);
  const ignored = Object.keys(others);
  const condensed = inputs === "condensed";
  void disableAnimations; // nothing moves
  return {
    appearance: {
      theme: THEMES.includes(String(theme)) ? String(theme) : unknownTheme(theme, ignored),
      variables: readVariables(asRecord(variables), ignored),
      rules: Object.entries(asRecord(rules)).flatMap(([selector, looks]) => readRule(selector, looks, ignored)),
      labels: labels === "floating" || (labels !== "above" && condensed) ? "floating" : "above",
      inputs: condensed ? "condensed" : "spaced",
    },
    ignored,
  };
}

/** @param {unknown} theme @param {string[]} ignored */
function unknownTheme(theme, ignored) {
  if (theme !== "none") ignored.push("theme");
  return "stripe";
}

/** @param {Record<string, unknown>} given @param {string[]} ignored @returns {Looks} */
function readVariables(given, ignored) {
  /** @type {Looks} */
  const variables = {};
  for (const [name, value] of Object.entries(given)) {
    if (VARIABLE.test(name) && typeof value === "string") variables[RENAMED[name] ?? name] = value;
    else if (value !== undefined) ignored.push(`variables.${name}`);
  }
  return variables;
}

/** @param {string} selector @param {unknown} given @param {string[]} ignored @returns {ReadAppearance["rules"]} */
function readRule(selector, given, ignored) {
  if (!SELECTOR.test(selector)) {
    ignored.push(`rules["${selector}"]`);
    return [];
  }
  /** @type {Looks} */
  const looks = {};
  for (const [name, value] of Object.entries(asRecord(given))) {
    if (PROPERTY.test(name) && typeof value === "string") looks[hyphenated(name)] = value;
    else ignored.push(`rules["${selector}"].${name}`);
  }
  return [{ selector, looks }];
}

/** @param {string} name in camel case */
function hyphenated(name) {
  return name.replace(/^(webkit|moz)(?=[A-Z])/, "-$1").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** @param {unknown} value @returns {Record<string, any>} */
function asRecord(value) {
  return typeof value === "object" && value !== null ? /** @type {Record<string, any>} */ (value) : {};
}
