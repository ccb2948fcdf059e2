/** The console: shows what the control API knows, every two seconds, and sends what its buttons and forms say. */

import { command, look } from "./control.js";
import { aheadOf, described, listings } from "./listings.js";
import { clear, follow } from "./rows.js";
import { moment } from "./words.js";

const EVERY = 2000; // milliseconds
const DONE_FOR = 8000; // milliseconds that a success is shown; what went wrong stays until something else is said
const FIRST = 10; // rows of a list
const MORE = [50, 200];

/** What is looked at: of which account, about which payment, and how much of each list. */
const view = { account: "", about: "", limits: /** @type {Record<string, number>} */ ({ payments: 5, challenges: 5 }), accounts: 0 };

const LISTINGS = listings({
  severalAccounts: () => view.accounts > 1 && !view.account,
  followPayment: (id) => showOnly(id),
});

async function refresh() {
  const [{ accounts }, clock] = await Promise.all([look("/sandbox/accounts"), look("/sandbox/clock")]);
  showAccounts(accounts);
  element("now").textContent = moment(clock.now);
  element("ahead").textContent = aheadOf(clock.ahead);
  await Promise.all(LISTINGS.map(refreshListing));
}

/** @param {import("./rows.js").Listing<any>} listing */
async function refreshListing(listing) {
  const limit = view.limits[listing.name] ?? FIRST;
  const asked = { limit: String(limit), account: view.account, about: view.about };
  const found = (await look(`/sandbox/${listing.name}?${new URLSearchParams(asked)}`))[listing.name];
  follow(listing, found, found.length >= limit, run);
  for (const empty of all(`[data-empty="${listing.name}"]`)) empty.hidden = found.length > 0;
  for (const more of all(`[data-more="${listing.name}"]`)) more.hidden = found.length < limit || limit >= MORE[1];
  if (listing.name === "faults") element("clear-faults").hidden = found.length === 0;
}

/**
 * Do something, say how it went, and show what has become of it.
 * @param {() => Promise<string>} action  its answer is said
 */
async function run(action) {
  try {
    tell(await action(), "good");
    await refresh();
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error), "bad");
  }
}

let quiet = 0;

/** @param {string} text @param {"good" | "bad"} tone */
function tell(text, tone) {
  const notice = element("notice");
  clearTimeout(quiet);
  notice.textContent = text;
  notice.dataset.tone = tone;
  if (tone === "good") quiet = setTimeout(() => (notice.textContent = ""), DONE_FOR);
}

/** @param {{ id: string, payments: number }[]} accounts */
function showAccounts(accounts) {
  view.accounts = accounts.length;
  const options = accounts.map(({ id, payments }) => new Option(`${payments} payment${payments === 1 ? "" : "s"}`, id));
  const list = element("accounts");
  if (list.innerHTML !== options.map((option) => option.outerHTML).join("")) list.replaceChildren(...options);
}

/** Look at one account, named by its id or a key, or at all of them. @param {HTMLInputElement} field */
async function choose(field) {
  const said = field.value.trim();
  const found = said ? (await look(`/sandbox/accounts?${new URLSearchParams({ account: said })}`)).accounts : [];
  if (said && found.length === 0) throw new Error("Nothing has happened in this account yet.");
  view.account = field.value = found[0]?.id ?? ""; // a key does not stay on the screen
  clear();
  return view.account ? `Only ${view.account}.` : "Every account.";
}

/** Only the events and deliveries about this, or all of them. @param {string} id */
function showOnly(id) {
  view.about = id;
  clear();
  for (const only of all("[data-only]")) only.hidden = !id;
  for (const place of all("[data-only-id]")) place.textContent = id;
  if (id) element("deliveries-title").focus();
}

/** @param {HTMLFormElement} form */
function faultOf(form) {
  const { forever, ...said } = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  const numbers = Object.fromEntries(["times", "seconds"].filter((name) => name in said).map((name) => [name, Number(said[name])]));
  return { target: form.dataset.target, ...said, ...numbers, ...(forever ? { times: -1 } : {}) };
}

/** Ask for what a fault needs, and nothing else. @param {HTMLFormElement} form */
function fitFields(form) {
  const kind = /** @type {HTMLSelectElement} */ (form.elements.namedItem("kind"));
  const label = /** @type {HTMLElement} */ (form.querySelector("label[data-seconds]"));
  label.hidden = kind.selectedOptions[0]?.dataset.seconds === undefined;
  /** @type {HTMLInputElement} */ (form.elements.namedItem("seconds")).disabled = label.hidden;
  const forever = /** @type {HTMLInputElement} */ (form.elements.namedItem("forever"));
  /** @type {HTMLInputElement} */ (form.elements.namedItem("times")).disabled = forever.checked;
}

function listen() {
  for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("form[data-target]"))) {
    form.addEventListener("change", () => fitFields(form));
    onSubmit(form, async () => {
      const { faults } = await command("/sandbox/faults", faultOf(form));
      return `${described(faults.at(-1))}.`;
    });
    fitFields(form);
  }
  onClick(element("clear-faults"), async () => {
    await command("/sandbox/faults", {}, "DELETE");
    element("faults-title").focus();
    return "Everything works again.";
  });
  for (const button of all("[data-advance]")) onClick(button, () => advance(Number(button.dataset.advance)));
  onSubmit(element("advance"), (said) => advance(60 * Number(said.get("minutes"))));
  const reset = element("reset");
  reset.addEventListener("click", () => {
    if (!confirm(reset.dataset.confirm)) return;
    void run(async () => {
      await command("/sandbox/reset");
      showOnly("");
      return "Everything is forgotten.";
    });
  });
  const account = /** @type {HTMLInputElement} */ (element("account"));
  account.addEventListener("change", () => run(() => choose(account)));
  element("account-form").addEventListener("submit", (event) => event.preventDefault());
  for (const button of all("[data-show-all]")) {
    onClick(button, async () => {
      showOnly("");
      return "All events and deliveries.";
    });
  }
  for (const button of all("[data-more]")) {
    button.addEventListener("click", () => {
      const name = button.dataset.more ?? "";
      view.limits[name] = MORE.find((limit) => limit > (view.limits[name] ?? FIRST)) ?? MORE[1];
      void lookNow();
    });
  }
  for (const place of all("[data-origin]")) place.textContent = location.origin;
}

/** @param {number} seconds */
async function advance(seconds) {
  const { now } = await command("/sandbox/clock", { advance: seconds });
  return `It is ${moment(now)} now.`;
}

/** @param {HTMLElement} button @param {() => Promise<string>} action */
function onClick(button, action) {
  button.addEventListener("click", () => run(action));
}

/** @param {HTMLElement} form @param {(said: FormData) => Promise<string>} action */
function onSubmit(form, action) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void run(() => action(new FormData(/** @type {HTMLFormElement} */ (form))));
  });
}

/** @param {string} id */
function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {string} selector */
function all(selector) {
  return /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(selector));
}

/** Look once, and say whether anybody answers. */
async function lookNow() {
  const connection = element("connection");
  const says = await refresh().then(
    () => ({ text: "Live", tone: "good" }),
    () => ({ text: "The sandbox does not answer. Trying again…", tone: "bad" }),
  );
  if (connection.textContent !== says.text) connection.textContent = says.text;
  connection.dataset.tone = says.tone;
}

/** Goes on while the page is looked at, and at once when it is looked at again. */
async function keepLooking() {
  for (;;) {
    if (!document.hidden) await lookNow();
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

listen();
document.addEventListener("visibilitychange", () => document.hidden || void lookNow());
void keepLooking();
