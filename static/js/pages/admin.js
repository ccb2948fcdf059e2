// The script of the merchant's pages.

import { attempt } from "../attempt.js";
import { start as copyText } from "../components/copy_text.js";
import { start as passkey } from "../components/passkey.js";
import { start as printPage } from "../components/print_page.js";
import { start as submitOnce } from "../components/submit_once.js";
import { showLocalTimes } from "../local_time.js";
import { startModules } from "../modules.js";

startModules({ copy_text: copyText, passkey, print_page: printPage, submit_once: submitOnce });
attempt(() => showLocalTimes(document)); // without, times stay in UTC, and say so
