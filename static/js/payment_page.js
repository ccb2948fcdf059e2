// What every payment page runs, whatever takes the card on it.

/** @import { MakeField } from "./components/payment_form.js" */

import { startHoldTimer } from "./components/hold_timer.js";
import { startPaymentForm } from "./components/payment_form.js";
import { startSubmitOnce } from "./components/submit_once.js";
import { startModules } from "./modules.js";

/** @param {MakeField} makeField @param {Parameters<typeof startModules>[0]} [more]  what else this page runs */
export function startPaymentPage(makeField, more) {
  startModules({
    payment_form: (root) => startPaymentForm(root, makeField),
    hold_timer: startHoldTimer,
    submit_once: startSubmitOnce,
    ...more,
  });
}
