/** On the page after a decision: tells the window that holds this one, if any, that there is one, and nothing else. */
import { AUTHENTICATED } from "../shared/line.js";

if (window.parent !== window) window.parent.postMessage(AUTHENTICATED, "*");
