// The script of the merchant's pages.

import { startModules } from "../modules.js";
import { showLocalTimes } from "../local_time.js";
import { start as submitOnce } from "../components/submit_once.js";

showLocalTimes(document);
startModules({ submit_once: submitOnce });
