// The script of the payment page in test mode. A store with live keys does not serve it.

import { CardField } from "../card_field.js";
import { startTestCards } from "../components/test_cards.js";
import { startPaymentPage } from "../payment_page.js";

startPaymentPage((...given) => new CardField(...given), { test_cards: startTestCards });
