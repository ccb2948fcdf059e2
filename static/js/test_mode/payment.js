// What the payment page runs beside its own script in test mode. A store with live keys does not serve it.

import { start as testCards } from "../components/test_cards.js";

for (const section of document.querySelectorAll("[data-module=test_cards]")) {
  if (section instanceof HTMLElement) testCards(section);
}
