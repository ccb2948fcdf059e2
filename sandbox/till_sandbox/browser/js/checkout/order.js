import { tellPage } from "./page.js";

/**
 * What is bought, and what it comes to. Each change is made by the sandbox, which answers with the order as it is then.
 *
 * @typedef {{summary?: string, submit?: string, error?: {message: string}}} ChangedOrder
 */

/** @param {import("./form.js").CheckoutForm} form in which it is paid */
export function watchOrder(form) {
  const summary = /** @type {HTMLElement} */ (document.getElementById("summary"));
  const submitText = () => document.querySelector(".SubmitButton-Text--current")?.textContent ?? "";
  summary.addEventListener("submit", (event) => {
    event.preventDefault();
    const input = /** @type {HTMLInputElement | null} */ (document.getElementById("promotionCode"));
    if (input?.value.trim()) void changeOrder(form, summary, { promotionCode: input.value.trim() });
  });
  summary.addEventListener("click", (event) => {
    const remove = event.target instanceof Element && event.target.closest("[data-remove-code]");
    if (remove) void changeOrder(form, summary, { promotionCode: "" });
  });
  summary.addEventListener("change", (event) => {
    const input = event.target;
    if (!(input instanceof HTMLInputElement)) return;
    if (input.id === "customUnitAmount") void changeOrder(form, summary, { amount: minorUnits(input) });
    if (!input.dataset.line) return;
    if (!input.checkValidity() || !input.value) input.value = input.defaultValue;
    else void changeOrder(form, summary, { line: input.dataset.line, quantity: Number(input.value) });
  });
  document.querySelector("[data-shipping]")?.addEventListener("change", (event) => {
    const { value } = /** @type {HTMLInputElement} */ (event.target);
    void changeOrder(form, summary, { shippingRate: value });
  });
  form.setDue(isDue(summary), submitText());
}

/** The last change that was asked for; each waits for the one before. @type {Promise<void>} */
let lastChange = Promise.resolve();

/** @returns {Promise<void>} settled once every change has been made that was asked for */
export function orderIsSettled() {
  return lastChange;
}

/**
 * @param {import("./form.js").CheckoutForm} form
 * @param {HTMLElement} summary
 * @param {Record<string, unknown>} change
 */
function changeOrder(form, summary, change) {
  lastChange = lastChange.then(() => makeChange(form, summary, change));
  return lastChange;
}

/**
 * @param {import("./form.js").CheckoutForm} form
 * @param {HTMLElement} summary
 * @param {Record<string, unknown>} change
 */
async function makeChange(form, summary, change) {
  const answer = /** @type {ChangedOrder} */ (await tellPage("change", change));
  if (answer.error) {
    showProblem(answer.error.message, "promotionCode" in change ? "promotionCode" : "amount" in change ? "customUnitAmount" : null);
    return;
  }
  const focused = document.activeElement?.id;
  // Made from a template of the sandbox's own, in which whatever others wrote is escaped.
  summary.replaceChildren(document.createRange().createContextualFragment(answer.summary ?? ""));
  form.setDue(isDue(summary), answer.submit ?? "");
  const total = document.getElementById("OrderDetails-TotalAmount")?.textContent ?? "";
  const announcement = document.getElementById("total-announcement");
  if (announcement) announcement.textContent = `Total due: ${total}`;
  if (focused) document.getElementById(focused)?.focus();
  if ("promotionCode" in change) {
    /** @type {HTMLElement | null} */ (summary.querySelector("[data-remove-code], #promotionCode"))?.focus();
  }
}

/** @param {string} message @param {string | null} field that it is about */
function showProblem(message, field) {
  const line = document.getElementById(field ? `${field}-error` : "form-error");
  if (!line) return;
  line.textContent = message;
  line.hidden = false;
  if (field) document.getElementById(field)?.setAttribute("aria-invalid", "true");
}

/** @param {HTMLInputElement} input an amount as a person writes it @returns {number} 0 for none */
function minorUnits(input) {
  const amount = Number(input.value.replace(",", ".").replace(/[^\d.]/g, ""));
  return Math.round(amount * 10 ** Number(input.dataset.decimals)) || 0;
}

/** @param {HTMLElement} summary */
function isDue(summary) {
  return summary.querySelector("[data-due]")?.getAttribute("data-due") === "yes";
}
