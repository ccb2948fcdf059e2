// The script of the drawer of test cards on the payment page. A store with live keys does not serve it.

import { start as testCards } from "../components/test_cards.js";
import { startModules } from "../modules.js";

startModules({ test_cards: testCards });
