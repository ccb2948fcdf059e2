// The script of the payment page.

import { start as holdTimer } from "../components/hold_timer.js";
import { start as paymentForm } from "../components/payment_form.js";
import { start as submitOnce } from "../components/submit_once.js";
import { startModules } from "../modules.js";

startModules({ payment_form: paymentForm, hold_timer: holdTimer, submit_once: submitOnce });
