// The script of the checkout.

import { startBillingAddress } from "../components/billing_address.js";
import { startErrorSummary } from "../components/error_summary.js";
import { startOrderTotal } from "../components/order_total.js";
import { startSubmitOnce } from "../components/submit_once.js";
import { startModules } from "../modules.js";

startModules({
  billing_address: startBillingAddress,
  error_summary: startErrorSummary,
  order_total: startOrderTotal,
  submit_once: startSubmitOnce,
});
