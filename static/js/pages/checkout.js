// The script of the checkout.

import { start as billingAddress } from "../components/billing_address.js";
import { start as errorSummary } from "../components/error_summary.js";
import { start as orderTotal } from "../components/order_total.js";
import { start as submitOnce } from "../components/submit_once.js";
import { startModules } from "../modules.js";

startModules({
  billing_address: billingAddress,
  error_summary: errorSummary,
  order_total: orderTotal,
  submit_once: submitOnce,
});
