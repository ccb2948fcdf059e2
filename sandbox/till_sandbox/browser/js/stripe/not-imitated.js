import { IntegrationError } from "./errors.js";

/**
 * What Stripe.js has beyond paying by card. It is there, so a page that only looks for it finds it; used, it says that
 * the sandbox has none of it.
 *
 * Source of the names: `Stripe` and `StripeElementType` in @stripe/stripe-js. A test says when there are more of them.
 */

const OTHER_METHODS = (
  "createToken createRadarSession createEphemeralKeyNonce " +
  "paymentRequest initCheckoutFormSdk createEmbeddedCheckoutPage initializePricing " +
  "retrieveOrder processOrder verifyIdentity collectFinancialConnectionsAccounts collectBankAccountToken " +
  "collectBankAccountForPayment collectBankAccountForSetup verifyMicrodepositsForPayment verifyMicrodepositsForSetup"
).split(" ");

/** Ways to pay other than by card that have a `confirm…Payment` of their own. */
const OTHER_PAYMENTS = (
  "AcssDebit Affirm AfterpayClearpay Alipay AuBecsDebit Bancontact Billie Blik Boleto Cashapp CustomerBalance Eps " +
  "Fpx Giropay GrabPay Ideal Klarna Konbini Mobilepay Multibanco Oxxo P24 PayByBank PayNow PayPal Pix PromptPay " +
  "SepaDebit " +
  "Sofort Twint UsBankAccount WechatPay"
).split(" ");

/** Likewise with a `confirm…Setup`. */
const OTHER_SETUPS = (
  "AcssDebit AmazonPay AuBecsDebit BacsDebit Bancontact Blik Cashapp Ideal PayPal SepaDebit Sofort UsBankAccount"
).split(" ");

const OTHER_ELEMENTS = (
  "auBankAccount iban paymentForm paymentMethodMessaging linkSignup shippingAddress issuingCardNumberDisplay " +
  "issuingCardCvcDisplay issuingCardExpiryDisplay issuingCardPinDisplay issuingCardCopyButton taxId terms " +
  "issuingAddToWalletButton"
).split(" ");

/** @returns {Record<string, () => never>} methods of the Stripe object, by name */
export function methodsNotImitated() {
  const names = [
    ...OTHER_METHODS,
    ...OTHER_PAYMENTS.map((name) => `confirm${name}Payment`),
    ...OTHER_SETUPS.map((name) => `confirm${name}Setup`),
  ];
  return Object.fromEntries(names.map((name) => [name, () => refuse(`stripe.${name}()`)]));
}

/** @param {unknown} type of an Element; refused when Stripe.js has it and the sandbox does not */
export function refuseElementNotImitated(type) {
  if (OTHER_ELEMENTS.includes(String(type))) refuse(`The ${type} Element`);
}

/**
 * @param {string} what
 * @returns {never}
 */
function refuse(what) {
  throw new IntegrationError(`${what} is not part of this sandbox, which imitates Elements for cards.`);
}
