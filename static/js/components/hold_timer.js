// Counts down how long the things are held, says so aloud now and then, and warns before the end. When the time is over
// the document gets an event, once.

import { HOLD_OVER } from "../order_status.js";

const ANNOUNCED = [1, 2, 5, 10]; // minutes before the end
const WARNED = 120; // seconds before the end

/** @param {HTMLElement} element */
export function startHoldTimer(element) {
  /** @param {string} name */
  const part = (name) => /** @type {HTMLElement} */ (element.querySelector(`[data-part=${name}]`));
  const seconds = Number(element.dataset.secondsLeft);
  if (!(seconds > 0)) return;
  const end = Date.now() + seconds * 1000;
  let announced = seconds;
  const clock = setInterval(tick, 1000);
  tick();

  function tick() {
    const rest = Math.max(0, Math.round((end - Date.now()) / 1000));
    part("left").textContent = inWords(rest);
    element.classList.toggle("is-ending", rest <= WARNED);
    const minutes = ANNOUNCED.find((each) => rest <= each * 60 && each * 60 < announced);
    if (minutes) announce(minutes);
    announced = Math.min(announced, rest);
    if (rest > 0) return;
    clearInterval(clock);
    for (const each of element.querySelectorAll("p")) each.hidden = each.dataset.part !== "over";
    document.dispatchEvent(new CustomEvent(HOLD_OVER));
  }

  /** The last sentence that fits is in the page. @param {number} minutes */
  function announce(minutes) {
    const words = /** @type {HTMLTemplateElement} */ (element.querySelector(`template[data-minutes="${minutes}"]`));
    part("announcement").replaceChildren(words.content.cloneNode(true));
  }
}

/** @param {number} seconds */
function inWords(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${String(seconds % 60).padStart(2, "0")} minutes`;
}
