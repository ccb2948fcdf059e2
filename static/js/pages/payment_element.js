// The script of the payment page where the Payment Element takes the card (PAYMENT_FORM=payment_element).

import { PaymentElementField } from "../payment_element_field.js";
import { startPaymentPage } from "../payment_page.js";

startPaymentPage((...given) => new PaymentElementField(...given));
