// Finds every [data-module] on the page and starts the component of that name. Each page works without. Those that
// only developers see are started by test_mode.js.
//
// Every component is loaded by itself, so that a file which does not arrive stops nothing but its own component.

/** @type {Record<string, () => Promise<{ start: (element: HTMLElement) => void }>>} */
const components = {
  billing_address: () => import("./components/billing_address.js"),
  error_summary: () => import("./components/error_summary.js"),
  hold_timer: () => import("./components/hold_timer.js"),
  submit_once: () => import("./components/submit_once.js"),
  status_poller: () => import("./components/status_poller.js"),
  payment_form: () => import("./components/payment_form.js"),
};

for (const element of document.querySelectorAll("[data-module]")) {
  const load = element instanceof HTMLElement && components[element.dataset.module ?? ""];
  // What stands in the page says what to do without the component; a style shows it.
  if (load) load().then(({ start }) => start(element), () => element.toggleAttribute("data-not-loaded", true));
}
import("./local_time.js").then(
  ({ showLocalTimes }) => showLocalTimes(document),
  () => undefined, // times stay in UTC, and say so
);
