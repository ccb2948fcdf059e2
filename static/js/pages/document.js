// The script of an invoice.

import { startPrintPage } from "../components/print_page.js";
import { startModules } from "../modules.js";

startModules({ print_page: startPrintPage });
