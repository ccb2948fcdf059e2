// The script of an invoice.

import { start as printPage } from "../components/print_page.js";
import { startModules } from "../modules.js";

startModules({ print_page: printPage });
