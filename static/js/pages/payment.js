// The script of the payment page.

import { CardField } from "../card_field.js";
import { startPaymentPage } from "../payment_page.js";

startPaymentPage((...given) => new CardField(...given));
