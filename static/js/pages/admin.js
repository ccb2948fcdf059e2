// The script of the merchant's pages.

import { attempt } from "../attempt.js";
import { startCopyText } from "../components/copy_text.js";
import { startPasskey } from "../components/passkey.js";
import { startPrintPage } from "../components/print_page.js";
import { startSubmitOnce } from "../components/submit_once.js";
import { showLocalTimes } from "../local_time.js";
import { startModules } from "../modules.js";

startModules({ copy_text: startCopyText, passkey: startPasskey, print_page: startPrintPage, submit_once: startSubmitOnce });
attempt(() => showLocalTimes(document)); // without, times stay in UTC, and say so
