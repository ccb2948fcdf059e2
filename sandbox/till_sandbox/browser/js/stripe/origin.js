/**
 * Where this script came from, and as which release. Everything else (frames, controller) is asked of that origin and
 * believed from it alone.
 *
 * `document.currentScript` is only there while a classic script runs for the first time, so it is read at once; a page
 * that loads the script in another way is searched for it.
 */
const ADDRESS = findAddress();

/** @type {string} */
export const ORIGIN = ADDRESS.origin;

/**
 * What `Stripe.version` says: the name of the release train, and 3 for the script that has none, at /v3/.
 *
 * @type {string | 3}
 */
export const VERSION = releaseOf(ADDRESS.pathname) ?? 3;

function findAddress() {
  const running = document.currentScript;
  const script = [running, ...document.scripts].find(
    (candidate) => candidate instanceof HTMLScriptElement && isStripeScript(candidate.src),
  );
  const source = script ?? running;
  if (!(source instanceof HTMLScriptElement) || !source.src) {
    throw new Error("Stripe.js cannot tell where it was loaded from.");
  }
  return new URL(source.src, document.baseURI);
}

/** @param {string} source address of a script */
function isStripeScript(source) {
  const { pathname } = new URL(source || "about:blank", document.baseURI);
  return /^\/v3\/?$/.test(pathname) || /^\/(v3|[a-z]+)\/stripe\.js$/.test(pathname);
}

/** @param {string} pathname */
function releaseOf(pathname) {
  return /^\/([a-z]+)\/stripe\.js$/.exec(pathname)?.[1];
}
