// The script of a page with times on it: the list of orders, the mail of test mode.

import { showLocalTimes } from "../local_time.js";

showLocalTimes(document);
