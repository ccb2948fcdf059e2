// The script of the page of test cards. A store with live keys does not serve it.

import { attempt } from "../attempt.js";
import { startTestCardTable } from "../components/test_card_table.js";
import { showLocalTimes } from "../local_time.js";
import { startModules } from "../modules.js";

startModules({ test_card_table: startTestCardTable });
attempt(() => showLocalTimes(document));
