/**
 * The texts a shopper reads in a card field, and those of the errors that a payment with it ends with.
 *
 * English: Stripe's own texts. Other languages: translated for the sandbox. A locale that is not here falls back to
 * English.
 * Codes of errors: Elements' validation codes, and the API's codes and decline codes.
 *
 * @typedef {object} Texts
 * @property {Record<"number" | "expiry" | "cvc" | "postal" | "zip" | "network", string>} labels
 * @property {Record<"number" | "expiry" | "cvc" | "postal" | "zip", string>} placeholders
 * @property {Record<string, string>} errors by code
 */

/** @type {Readonly<Record<string, Texts>>} */
export const MESSAGES = Object.freeze({
  en: {
    labels: {
      number: "Credit or debit card number",
      expiry: "Credit or debit card expiration date",
      cvc: "Credit or debit card CVC/CVV",
      postal: "Postal code",
      zip: "ZIP",
      network: "Card brand",
    },
    placeholders: { number: "Card number", expiry: "MM / YY", cvc: "CVC", postal: "Postal code", zip: "ZIP" },
    errors: {
      incomplete_number: "Your card number is incomplete.",
      invalid_number: "Your card number is invalid.",
      incomplete_expiry: "Your card's expiration date is incomplete.",
      invalid_expiry_month: "Your card's expiration date is invalid.",
      invalid_expiry_month_past: "Your card's expiration date is in the past.",
      invalid_expiry_year_past: "Your card's expiration year is in the past.",
      invalid_expiry_year: "Your card's expiration year is invalid.",
      incomplete_cvc: "Your card's security code is incomplete.",
      incomplete_zip: "Your postal code is incomplete.",
      authentication_failure:
        "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
    },
  },
  de: {
    labels: {
      number: "Kredit- oder Debitkartennummer",
      expiry: "Ablaufdatum der Kredit- oder Debitkarte",
      cvc: "Prüfziffer (CVC/CVV) der Kredit- oder Debitkarte",
      postal: "Postleitzahl",
      zip: "PLZ",
      network: "Kartenmarke",
    },
    placeholders: { number: "Kartennummer", expiry: "MM / JJ", cvc: "CVC", postal: "PLZ", zip: "PLZ" },
    errors: {
      incomplete_number: "Die Kartennummer ist unvollständig.",
      invalid_number: "Die Kartennummer ist ungültig.",
      incomplete_expiry: "Das Ablaufdatum der Karte ist unvollständig.",
      invalid_expiry_month: "Das Ablaufdatum der Karte ist ungültig.",
      invalid_expiry_month_past: "Das Ablaufdatum der Karte liegt in der Vergangenheit.",
      invalid_expiry_year_past: "Das Ablaufjahr der Karte liegt in der Vergangenheit.",
      invalid_expiry_year: "Das Ablaufjahr der Karte ist ungültig.",
      incomplete_cvc: "Die Prüfziffer der Karte ist unvollständig.",
      incomplete_zip: "Die Postleitzahl ist unvollständig.",
      authentication_failure:
        "Die Zahlungsmethode konnte nicht bestätigt werden. " +
        "Bitte wählen Sie eine andere und versuchen Sie es noch einmal.",
      connection:
        "Der Zahlungsdienst ist nicht erreichbar. " +
        "Bitte prüfen Sie Ihre Internetverbindung und versuchen Sie es noch einmal.",
      card_declined: "Ihre Karte wurde abgelehnt.",
      insufficient_funds: "Ihre Karte ist nicht ausreichend gedeckt.",
      card_velocity_exceeded: "Ihre Karte wurde abgelehnt, weil sie zu oft benutzt oder ihr Limit überschritten wurde.",
      expired_card: "Ihre Karte ist abgelaufen.",
      incorrect_cvc: "Die Prüfziffer der Karte ist falsch.",
      incorrect_number: "Die Kartennummer ist falsch.",
      processing_error:
        "Bei der Bearbeitung Ihrer Karte ist ein Fehler aufgetreten. Versuchen Sie es gleich noch einmal.",
    },
  },
  fr: {
    labels: {
      number: "Numéro de carte de crédit ou de débit",
      expiry: "Date d'expiration de la carte de crédit ou de débit",
      cvc: "Code CVC/CVV de la carte de crédit ou de débit",
      postal: "Code postal",
      zip: "Code postal",
      network: "Marque de la carte",
    },
    placeholders: {
      number: "Numéro de carte",
      expiry: "MM / AA",
      cvc: "CVC",
      postal: "Code postal",
      zip: "Code postal",
    },
    errors: {
      incomplete_number: "Le numéro de votre carte est incomplet.",
      invalid_number: "Le numéro de votre carte n'est pas valide.",
      incomplete_expiry: "La date d'expiration de votre carte est incomplète.",
      invalid_expiry_month: "La date d'expiration de votre carte n'est pas valide.",
      invalid_expiry_month_past: "La date d'expiration de votre carte est passée.",
      invalid_expiry_year_past: "L'année d'expiration de votre carte est passée.",
      invalid_expiry_year: "L'année d'expiration de votre carte n'est pas valide.",
      incomplete_cvc: "Le code de sécurité de votre carte est incomplet.",
      incomplete_zip: "Votre code postal est incomplet.",
      authentication_failure:
        "Nous n'avons pas pu authentifier votre moyen de paiement. Veuillez en choisir un autre et réessayer.",
      connection: "Le service de paiement est injoignable. Vérifiez votre connexion Internet et réessayez.",
      card_declined: "Votre carte a été refusée.",
      insufficient_funds: "Le solde de votre carte est insuffisant.",
      card_velocity_exceeded: "Votre carte a été refusée : essais trop fréquents ou plafond dépassé.",
      expired_card: "Votre carte a expiré.",
      incorrect_cvc: "Le code de sécurité de votre carte est incorrect.",
      incorrect_number: "Le numéro de votre carte est incorrect.",
      processing_error: "Une erreur s'est produite lors du traitement de votre carte. Réessayez dans un instant.",
    },
  },
  es: {
    labels: {
      number: "Número de tarjeta de crédito o débito",
      expiry: "Fecha de caducidad de la tarjeta de crédito o débito",
      cvc: "CVC/CVV de la tarjeta de crédito o débito",
      postal: "Código postal",
      zip: "Código postal",
      network: "Marca de la tarjeta",
    },
    placeholders: { number: "Número de tarjeta", expiry: "MM / AA", cvc: "CVC", postal: "C. P.", zip: "C. P." },
    errors: {
      incomplete_number: "El número de tu tarjeta está incompleto.",
      invalid_number: "El número de tu tarjeta no es válido.",
      incomplete_expiry: "La fecha de caducidad de tu tarjeta está incompleta.",
      invalid_expiry_month: "La fecha de caducidad de tu tarjeta no es válida.",
      invalid_expiry_month_past: "La fecha de caducidad de tu tarjeta ya ha pasado.",
      invalid_expiry_year_past: "El año de caducidad de tu tarjeta ya ha pasado.",
      invalid_expiry_year: "El año de caducidad de tu tarjeta no es válido.",
      incomplete_cvc: "El código de seguridad de tu tarjeta está incompleto.",
      incomplete_zip: "Tu código postal está incompleto.",
      authentication_failure: "No podemos autenticar tu método de pago. Elige otro e inténtalo de nuevo.",
      connection: "No se puede llegar al servicio de pago. Comprueba tu conexión a Internet e inténtalo de nuevo.",
      card_declined: "Tu tarjeta ha sido rechazada.",
      insufficient_funds: "Tu tarjeta no tiene fondos suficientes.",
      card_velocity_exceeded: "Tu tarjeta ha sido rechazada por intentos demasiado frecuentes o por superar su límite.",
      expired_card: "Tu tarjeta ha caducado.",
      incorrect_cvc: "El código de seguridad de tu tarjeta es incorrecto.",
      incorrect_number: "El número de tu tarjeta es incorrecto.",
      processing_error: "Se ha producido un error al procesar tu tarjeta. Inténtalo de nuevo en un momento.",
    },
  },
  it: {
    labels: {
      number: "Numero della carta di credito o di debito",
      expiry: "Data di scadenza della carta di credito o di debito",
      cvc: "CVC/CVV della carta di credito o di debito",
      postal: "Codice postale",
      zip: "CAP",
      network: "Marchio della carta",
    },
    placeholders: { number: "Numero carta", expiry: "MM / AA", cvc: "CVC", postal: "CAP", zip: "CAP" },
    errors: {
      incomplete_number: "Il numero della carta è incompleto.",
      invalid_number: "Il numero della carta non è valido.",
      incomplete_expiry: "La data di scadenza della carta è incompleta.",
      invalid_expiry_month: "La data di scadenza della carta non è valida.",
      invalid_expiry_month_past: "La data di scadenza della carta è passata.",
      invalid_expiry_year_past: "L'anno di scadenza della carta è passato.",
      invalid_expiry_year: "L'anno di scadenza della carta non è valido.",
      incomplete_cvc: "Il codice di sicurezza della carta è incompleto.",
      incomplete_zip: "Il codice postale è incompleto.",
      authentication_failure: "Non è possibile autenticare il metodo di pagamento. Scegline un altro e riprova.",
      connection: "Il servizio di pagamento non è raggiungibile. Controlla la connessione a Internet e riprova.",
      card_declined: "La carta è stata rifiutata.",
      insufficient_funds: "I fondi della carta non sono sufficienti.",
      card_velocity_exceeded: "La carta è stata rifiutata: troppi tentativi o limite superato.",
      expired_card: "La carta è scaduta.",
      incorrect_cvc: "Il codice di sicurezza della carta non è corretto.",
      incorrect_number: "Il numero della carta non è corretto.",
      processing_error: "Si è verificato un errore durante l'elaborazione della carta. Riprova tra poco.",
    },
  },
  nl: {
    labels: {
      number: "Nummer van creditcard of betaalpas",
      expiry: "Vervaldatum van creditcard of betaalpas",
      cvc: "CVC/CVV van creditcard of betaalpas",
      postal: "Postcode",
      zip: "Postcode",
      network: "Kaartmerk",
    },
    placeholders: { number: "Kaartnummer", expiry: "MM / JJ", cvc: "CVC", postal: "Postcode", zip: "Postcode" },
    errors: {
      incomplete_number: "Het kaartnummer is onvolledig.",
      invalid_number: "Het kaartnummer is ongeldig.",
      incomplete_expiry: "De vervaldatum van de kaart is onvolledig.",
      invalid_expiry_month: "De vervaldatum van de kaart is ongeldig.",
      invalid_expiry_month_past: "De vervaldatum van de kaart is verstreken.",
      invalid_expiry_year_past: "Het vervaljaar van de kaart is verstreken.",
      invalid_expiry_year: "Het vervaljaar van de kaart is ongeldig.",
      incomplete_cvc: "De beveiligingscode van de kaart is onvolledig.",
      incomplete_zip: "De postcode is onvolledig.",
      authentication_failure: "We kunnen je betaalmethode niet verifiëren. Kies een andere en probeer het opnieuw.",
      connection: "De betaaldienst is niet bereikbaar. Controleer je internetverbinding en probeer het opnieuw.",
      card_declined: "Je kaart is geweigerd.",
      insufficient_funds: "Er staat niet genoeg saldo op je kaart.",
      card_velocity_exceeded: "Je kaart is geweigerd: te vaak geprobeerd of limiet overschreden.",
      expired_card: "Je kaart is verlopen.",
      incorrect_cvc: "De beveiligingscode van de kaart is onjuist.",
      incorrect_number: "Het kaartnummer is onjuist.",
      processing_error: "Er ging iets mis bij het verwerken van je kaart. Probeer het zo nog eens.",
    },
  },
});

/**
 * @param {string} locale such as "de", "fr-CA"; "auto" is the browser's own
 * @returns {Texts}
 */
export function textsFor(locale) {
  return MESSAGES[languageOf(locale)] ?? MESSAGES.en;
}

/**
 * @param {string} locale
 * @returns {string} "de" of "de-AT"
 */
export function languageOf(locale) {
  return (locale === "auto" ? navigator.language : locale).split("-")[0].toLowerCase();
}

/**
 * The error with a message in the shopper's language: that of its decline code, or else of its code. Where there is none, the
 * message stays.
 *
 * @template {{code?: string, decline_code?: string, type?: string, message?: string}} E
 * @param {E} error
 * @param {string} locale
 * @returns {E}
 */
export function localizeError(error, locale) {
  const known = textsFor(locale).errors;
  const code = /** @type {string} */ (error.code ?? "").replace(
    /^(payment|setup)_intent_(?=authentication_failure$)/,
    "",
  );
  const general = error.type === "api_connection_error" ? "connection" : code;
  const message = known[error.decline_code ?? ""] ?? known[general];
  return message ? { ...error, message } : error;
}
