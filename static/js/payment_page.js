// What every payment page runs, whatever takes the card on it.

/** @import { MakeField } from "./components/payment_form.js" */

import { start as holdTimer } from "./components/hold_timer.js";
import { start as paymentForm } from "./components/payment_form.js";
import { start as submitOnce } from "./components/submit_once.js";
import { startModules } from "./modules.js";

/** @param {MakeField} makeField @param {Parameters<typeof startModules>[0]} [more]  what else this page runs */
export function startPaymentPage(makeField, more) {
  startModules({
    payment_form: (root) => paymentForm(root, makeField),
    hold_timer: holdTimer,
    submit_once: submitOnce,
    ...more,
  });
}
