// What the payment page runs beside its own script in test mode. A store with live keys does not serve it.

import { start as testCards } from "../components/test_cards.js";
import { startModules } from "../modules.js";

startModules({ test_cards: testCards });
