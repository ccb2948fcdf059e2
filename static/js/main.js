// Finds every [data-module] on the page and starts the component of that name. Each page works without. Those that
// only developers see are started by test_mode.js.

import { start as billingAddress } from "./components/billing_address.js";
import { start as errorSummary } from "./components/error_summary.js";
import { start as holdTimer } from "./components/hold_timer.js";
import { start as submitOnce } from "./components/submit_once.js";
import { start as statusPoller } from "./components/status_poller.js";
import { start as paymentForm } from "./components/payment_form.js";
import { showLocalTimes } from "./local_time.js";

/** @type {Record<string, (element: HTMLElement) => void>} */
const components = {
  billing_address: billingAddress,
  error_summary: errorSummary,
  hold_timer: holdTimer,
  submit_once: submitOnce,
  status_poller: statusPoller,
  payment_form: paymentForm,
};

showLocalTimes(document);
for (const element of document.querySelectorAll("[data-module]")) {
  if (element instanceof HTMLElement) components[element.dataset.module ?? ""]?.(element);
}
