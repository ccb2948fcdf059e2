// Brings the total up to date when the country or the shipping method changes. The server computes it: it answers the
// form with the page as it would be, and what is marked as live on this page becomes what it is on that one.

const PATIENCE = 5000; // milliseconds; then the form is sent as it is
const LONGEST_PRESS = 1000; // milliseconds; then the page changes under it
const CHANGES = ["country", "region", "postal_code", "shipping_method", "tax_id", "code"];

/** @param {HTMLElement} element */
export function startOrderTotal(element) {
  const form = element.closest("form");
  const button = element.querySelector("[data-part=button]");
  const announcement = element.querySelector("[data-part=announcement]");
  const address = element.dataset.address;
  if (!form || !(button instanceof HTMLElement) || !announcement || !address) return;

  let asking = new AbortController();
  /** @type {Promise<void> | undefined} */
  let updating;
  let released = Promise.resolve();

  const update = async () => {
    asking.abort();
    const mine = (asking = new AbortController());
    const late = setTimeout(() => mine.abort(), PATIENCE);
    const sent = fieldsOf(form);
    try {
      const answer = await fetch(address, { method: "POST", body: new URLSearchParams(sent), signal: mine.signal });
      if (!answer.ok || answer.redirected) throw new Error(`the total could not be asked for: ${answer.status}`);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      await released;
      if (mine !== asking) return;
      showTotal(fresh, (part) => wasTypedIn(part, form, sent));
      announcement.textContent = document.getElementById("total-sentence")?.textContent ?? "";
    } catch {
      await released;
      if (mine === asking) button.hidden = false; // the button still does it
    } finally {
      clearTimeout(late);
      if (mine === asking) updating = undefined;
    }
  };

  // Whoever presses a button leaves a field by that. Nothing may move until it is released: a button that is no longer
  // under the pointer then was not clicked.
  form.addEventListener("pointerdown", () => (released = release()));
  form.addEventListener("change", (event) => {
    const changes = event.target instanceof Element && CHANGES.includes(event.target.getAttribute("name") ?? "");
    if (changes) updating = update();
  });
  // The form is sent once the total is up to date: the page would come back otherwise, for it still says another one.
  form.addEventListener(
    "submit",
    (event) => {
      if (!updating) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      const { submitter } = event;
      void updating.then(() => form.requestSubmit(submitter));
    },
    { capture: true },
  );
  button.hidden = true;
  // Somebody was faster than this script, or the browser has filled in what stood here before.
  if ([...form.elements].some((field) => CHANGES.includes(field.getAttribute("name") ?? "") && isChanged(field))) {
    updating = update();
  }
}

/** Ends when the pointer is up again and what it pressed has been clicked. */
function release() {
  return new Promise((resolve) => {
    const ended = () => setTimeout(resolve);
    for (const name of ["pointerup", "pointercancel"]) addEventListener(name, ended, { once: true });
    setTimeout(resolve, LONGEST_PRESS);
  });
}

/**
 * @param {HTMLFormElement} form
 * @returns {[string, string][]}
 */
function fieldsOf(form) {
  /** @type {[string, string][]} */
  const fields = [];
  for (const [name, value] of new FormData(form)) if (typeof value === "string") fields.push([name, value]);
  return fields;
}

/** @param {Element} field @returns {boolean} whether it has another value than the page came with */
function isChanged(field) {
  if (field instanceof HTMLSelectElement) {
    const chosen = field.querySelector("option[selected]") ?? field.options[0];
    return chosen instanceof HTMLOptionElement && chosen.value !== field.value;
  }
  if (!(field instanceof HTMLInputElement)) return false;
  return field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
}

/**
 * Whether somebody is typing there and has not left the field yet. The total is asked for once more then.
 *
 * @param {Element} part
 * @param {HTMLFormElement} form
 * @param {[string, string][]} sent
 */
function wasTypedIn(part, form, sent) {
  const then = new Map(sent);
  return fieldsOf(form).some(([name, value]) => then.get(name) !== value && part.querySelector(`[name="${CSS.escape(name)}"]`));
}

/**
 * @param {Document} fresh
 * @param {(part: Element) => boolean} stays
 */
function showTotal(fresh, stays) {
  const focused = document.activeElement?.id;
  for (const part of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(part.id);
    if (now && !stays(part)) part.replaceWith(document.adoptNode(now));
  }
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus();
}
