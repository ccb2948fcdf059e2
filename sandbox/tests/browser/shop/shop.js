// A shop's page as small as can be: it mounts Elements when the test says so, and writes down what they tell.

/** The tests reach everything by its name in the window. */
const page = /** @type {typeof window & Record<string, any>} */ (window);

/** @type {({name: string} & Record<string, unknown>)[]} */
const events = [];
page.events = events;
page.submits = 0;

/**
 * @param {string} key
 * @param {import("@stripe/stripe-js").StripeConstructorOptions} options
 * @param {import("@stripe/stripe-js").StripeElementsOptions} elementsOptions
 */
page.start = (key, options, elementsOptions) => {
  page.stripe = page.Stripe?.(key, options);
  page.elements = page.stripe.elements(elementsOptions);
};

/**
 * @param {"card" | "cardNumber" | "cardExpiry" | "cardCvc" | "payment" | "address"} type or another that is a form
 * @param {object} options of that Element
 * @returns {Promise<void>} settled when it is ready, or could not be loaded
 */
page.mount = (type, options) => {
  const element = page.elements.create(type, options);
  for (const name of ["ready", "change", "focus", "blur", "escape", "loaderror", "loaderstart", "networkschange"]) {
    element.on(name, (/** @type {object} */ event) => events.push({ name, ...event }));
  }
  const ready = new Promise((resolve) => {
    element.once("ready", () => resolve(undefined));
    element.once("loaderror", () => resolve(undefined));
  });
  const box = document.getElementById(type);
  if (box) box.style.display = "block";
  element.mount(`#${type}`);
  page[type] = element;
  return ready.then(() => undefined);
};

/**
 * Makes the page as it was when the Element was mounted first: no challenge, nothing typed, nothing noted.
 *
 * @param {"card" | "cardNumber" | "cardExpiry" | "cardCvc"} type
 */
page.remount = async (type) => {
  const { sandbox } = /** @type {any} */ (page.Stripe);
  if (sandbox.answer("fail")) await page.payment;
  const pay = /** @type {HTMLButtonElement} */ (document.getElementById("pay"));
  pay.disabled = false;
  const element = page[type];
  element.unmount();
  const ready = new Promise((resolve) => element.once("ready", resolve));
  element.mount(`#${type}`);
  await ready;
  events.length = 0;
  page.submits = 0;
};

/**
 * Settles with what the payment ends in, which the page goes on waiting for while the test does other things.
 *
 * @param {string} secret
 * @param {import("@stripe/stripe-js").ConfirmCardPaymentData | null} data
 * @param {import("@stripe/stripe-js").ConfirmCardPaymentOptions} options
 */
page.pay = (secret, data, options) => {
  page.payment = page.stripe.confirmCardPayment(secret, data ?? { payment_method: { card: page.card } }, options);
};

/** @param {() => unknown} action @returns {Promise<{name: string, message: string} | null>} */
page.refusal = async (action) => {
  try {
    await action();
    return null;
  } catch (error) {
    const { name, message } = /** @type {Error} */ (error);
    return { name, message };
  }
};

document.getElementById("form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  page.submits += 1;
});
