// The script of the payment page where the Payment Element takes the card (PAYMENT_FORM=payment_element).

import { start as holdTimer } from "../components/hold_timer.js";
import { start as paymentForm } from "../components/payment_form.js";
import { start as submitOnce } from "../components/submit_once.js";
import { startModules } from "../modules.js";
import { PaymentElementField } from "../payment_element_field.js";

startModules({
  payment_form: (root) => paymentForm(root, (...given) => new PaymentElementField(...given)),
  hold_timer: holdTimer,
  submit_once: submitOnce,
});
