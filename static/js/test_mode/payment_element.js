// The script of the payment page in test mode where the Payment Element takes the card (PAYMENT_FORM=payment_element).

import { startTestCards } from "../components/test_cards.js";
import { PaymentElementField } from "../payment_element_field.js";
import { startPaymentPage } from "../payment_page.js";

startPaymentPage((...given) => new PaymentElementField(...given), { test_cards: startTestCards });
