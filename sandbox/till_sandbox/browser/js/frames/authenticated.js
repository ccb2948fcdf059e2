/** On the page after a decision: tells the frame around this one, if any, that there is one, and nothing else. */
import { AUTHENTICATED } from "../shared/frame-channel.js";

if (window.parent !== window) window.parent.postMessage(AUTHENTICATED, "*");
