// A shop's page as small as can be: it mounts Elements when the test says so, and writes down what they tell.
window.told = [];
window.submits = 0;

window.start = (key, options, elementsOptions) => {
  window.stripe = Stripe(key, options);
  window.elements = stripe.elements(elementsOptions);
};

window.mount = (type, options) => {
  const element = elements.create(type, options);
  for (const name of ["ready", "change", "focus", "blur", "escape", "loaderror"]) {
    element.on(name, (event) => told.push({ name, ...event }));
  }
  const ready = new Promise((resolve) => element.once("ready", resolve));
  document.getElementById(type).style.display = "block";
  element.mount(`#${type}`);
  window[type] = element;
  return ready.then(() => undefined);
};

/** Settles with what the payment ends in, which the page goes on waiting for while the test does other things. */
window.pay = (secret, data, options) => {
  window.payment = stripe.confirmCardPayment(secret, data ?? { payment_method: { card } }, options);
};

window.refusal = async (action) => {
  try {
    await action();
    return null;
  } catch (error) {
    return { name: error.name, message: error.message };
  }
};

document.getElementById("form").addEventListener("submit", (event) => {
  event.preventDefault();
  window.submits += 1;
});
