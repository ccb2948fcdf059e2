// The script of the payment page.

import { CardField } from "../card_field.js";
import { start as holdTimer } from "../components/hold_timer.js";
import { start as paymentForm } from "../components/payment_form.js";
import { start as submitOnce } from "../components/submit_once.js";
import { startModules } from "../modules.js";

startModules({
  payment_form: (root) => paymentForm(root, (...given) => new CardField(...given)),
  hold_timer: holdTimer,
  submit_once: submitOnce,
});
