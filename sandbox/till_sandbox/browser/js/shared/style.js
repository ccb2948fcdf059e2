/**
 * Which CSS a merchant may pass into a card field. Both sides use it: the page to warn about the rest, and the frame,
 * which trusts nobody, to drop it.
 *
 * Source of the names: `StripeElementCSSProperties` and `StripeElementStyleVariant` in @stripe/stripe-js.
 */

/** The style properties of an Element, each with the CSS property it becomes inside the frame. */
export const STYLE_PROPERTIES = Object.freeze({
  backgroundColor: "background-color",
  color: "color",
  fontFamily: "font-family",
  fontSize: "font-size",
  fontSmoothing: "-webkit-font-smoothing",
  fontStyle: "font-style",
  fontVariant: "font-variant",
  fontWeight: "font-weight",
  iconColor: "--icon-color",
  lineHeight: "line-height",
  letterSpacing: "letter-spacing",
  textAlign: "text-align",
  textDecoration: "text-decoration",
  textShadow: "text-shadow",
  textTransform: "text-transform",
});

/** The variants, in the order in which later ones win. */
export const STYLE_VARIANTS = Object.freeze(/** @type {const} */ (["base", "empty", "complete", "invalid"]));

/** The pseudo-classes and pseudo-elements a variant may hold, each with its selector inside the frame. */
export const STYLE_PSEUDOS = Object.freeze({
  ":hover": ":hover",
  ":focus": ":focus",
  "::placeholder": "::placeholder",
  "::selection": "::selection",
  ":-webkit-autofill": ":-webkit-autofill",
  ":disabled": ":disabled",
  "::-ms-clear": "",
});

/**
 * @typedef {Record<string, string>} Declarations CSS properties and their values
 * @typedef {{variant: string, pseudo: string, declarations: Declarations}} StyleRule
 */

/**
 * Sorts a merchant's `style` into rules the frame can apply and the paths it cannot.
 *
 * @param {unknown} style
 * @returns {{rules: StyleRule[], ignored: string[]}} rules in the order in which later ones win
 */
export function readStyle(style) {
  /** @type {StyleRule[]} */
  const rules = [];
  /** @type {string[]} */
  const ignored = [];
  const given = entriesOf(style);
  for (const [variant] of given) {
    if (!(/** @type {readonly string[]} */ (STYLE_VARIANTS).includes(variant))) ignored.push(variant);
  }
  for (const variant of STYLE_VARIANTS) {
    const properties = entriesOf(Object.fromEntries(given)[variant]);
    rules.push({ variant, pseudo: "", declarations: readDeclarations(properties, variant, ignored) });
    for (const [name, value] of properties) {
      if (!Object.hasOwn(STYLE_PSEUDOS, name)) continue;
      const pseudo = STYLE_PSEUDOS[/** @type {keyof typeof STYLE_PSEUDOS} */ (name)];
      const declarations = readDeclarations(entriesOf(value), `${variant}.${name}`, ignored);
      if (pseudo) rules.push({ variant, pseudo, declarations });
    }
  }
  return { rules: rules.filter((rule) => Object.keys(rule.declarations).length > 0), ignored };
}

/**
 * @param {[string, unknown][]} properties
 * @param {string} path where they stand, for the warning
 * @param {string[]} ignored filled with what is not supported
 * @returns {Declarations}
 */
function readDeclarations(properties, path, ignored) {
  /** @type {Declarations} */
  const declarations = {};
  for (const [name, value] of properties) {
    if (Object.hasOwn(STYLE_PSEUDOS, name)) continue;
    if (name === "display" && path.endsWith("::-ms-clear")) continue;
    const property = Object.hasOwn(STYLE_PROPERTIES, name)
      ? STYLE_PROPERTIES[/** @type {keyof typeof STYLE_PROPERTIES} */ (name)]
      : undefined;
    if (property && (typeof value === "string" || typeof value === "number")) declarations[property] = String(value);
    else if (value !== undefined) ignored.push(`${path}.${name}`);
  }
  return declarations;
}

/**
 * @param {unknown} value
 * @returns {[string, unknown][]}
 */
function entriesOf(value) {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}
