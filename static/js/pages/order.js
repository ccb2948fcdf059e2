// The script of an order's page.

import { attempt } from "../attempt.js";
import { startStatusPoller } from "../components/status_poller.js";
import { showLocalTimes } from "../local_time.js";
import { startModules } from "../modules.js";

startModules({ status_poller: startStatusPoller });
attempt(() => showLocalTimes(document)); // without, times stay in UTC, and say so
