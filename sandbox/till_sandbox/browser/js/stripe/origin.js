/**
 * Where this script came from. Everything else (frames, controller) is asked of that origin and believed from it alone.
 *
 * `document.currentScript` is only there while a classic script runs for the first time, so it is read at once; a page
 * that loads the script in another way is searched for it.
 */
export const ORIGIN = findOrigin();

function findOrigin() {
  const running = document.currentScript;
  const script =
    running instanceof HTMLScriptElement && running.src
      ? running
      : document.querySelector('script[src*="/endive/stripe.js"]');
  if (!(script instanceof HTMLScriptElement)) throw new Error("Stripe.js cannot tell where it was loaded from.");
  return new URL(script.src, document.baseURI).origin;
}
