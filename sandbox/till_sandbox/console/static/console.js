/** The console: shows what the control API lists, every second, and sends the commands of its buttons and forms. */

import { command, read } from "./control.js";
import { clearLists, updateList } from "./list.js";
import { aheadOf, describeFault, listings } from "./listings.js";
import { formatTime } from "./text.js";

const POLL_INTERVAL = 1000; // milliseconds
const SUCCESS_SHOWN_FOR = 8000; // milliseconds; an error stays until there is another message
const FIRST = 10; // rows of a list
const MORE = [50, 200];

/** What is shown: of which account, about which payment, and how much of each list. */
const view = { account: "", about: "", limits: /** @type {Record<string, number>} */ ({ payments: 5, checkout_sessions: 5, challenges: 5 }), accounts: 0 };

const LISTINGS = listings({
  severalAccounts: () => view.accounts > 1 && !view.account,
  followPayment: (id) => showOnly(id),
});

async function refresh() {
  const [{ accounts }, clock] = await Promise.all([read("/sandbox/accounts"), read("/sandbox/clock")]);
  showAccounts(accounts);
  element("now").textContent = formatTime(clock.now);
  element("ahead").textContent = aheadOf(clock.ahead);
  await Promise.all(LISTINGS.map(refreshListing));
}

/** @param {import("./list.js").Listing<any>} listing */
async function refreshListing(listing) {
  const limit = view.limits[listing.name] ?? FIRST;
  const query = { limit: String(limit), account: view.account, about: view.about };
  const found = (await read(`/sandbox/${listing.name}?${new URLSearchParams(query)}`))[listing.name];
  updateList(listing, found, found.length >= limit, run);
  for (const empty of all(`[data-empty="${listing.name}"]`)) empty.hidden = found.length > 0;
  for (const more of all(`[data-more="${listing.name}"]`)) more.hidden = found.length < limit || limit >= MORE[1];
  if (listing.name === "faults") element("clear-faults").hidden = found.length === 0;
}

/**
 * Do something, show how it went, and what has become of it.
 * @param {() => Promise<string>} action  resolves with the message to show
 */
async function run(action) {
  try {
    notify(await action(), "good");
    await refresh();
  } catch (error) {
    notify(error instanceof Error ? error.message : String(error), "bad");
  }
}

let hiding = 0;

/** @param {string} text @param {"good" | "bad"} tone */
function notify(text, tone) {
  const notice = element("notice");
  clearTimeout(hiding);
  notice.textContent = text;
  notice.dataset.tone = tone;
  if (tone === "good") hiding = setTimeout(() => (notice.textContent = ""), SUCCESS_SHOWN_FOR);
}

/** @param {{ id: string, payments: number }[]} accounts */
function showAccounts(accounts) {
  view.accounts = accounts.length;
  const options = accounts.map(({ id, payments }) => new Option(`${payments} payment${payments === 1 ? "" : "s"}`, id));
  const list = element("accounts");
  if (list.innerHTML !== options.map((option) => option.outerHTML).join("")) list.replaceChildren(...options);
}

/** Show one account, named by its id or a key, or all of them. @param {HTMLInputElement} field */
async function chooseAccount(field) {
  const given = field.value.trim();
  const found = given ? (await read(`/sandbox/accounts?${new URLSearchParams({ account: given })}`)).accounts : [];
  if (given && found.length === 0) throw new Error("Nothing has happened in this account yet.");
  view.account = field.value = found[0]?.id ?? ""; // a key does not stay on the screen
  clearLists();
  return view.account ? `Only ${view.account}.` : "Every account.";
}

/** Show only the requests, events and deliveries about this, or all of them. @param {string} id */
function showOnly(id) {
  view.about = id;
  clearLists();
  for (const only of all("[data-only]")) only.hidden = !id;
  for (const place of all("[data-only-id]")) place.textContent = id;
  if (id) element("requests-title").focus();
}

/** @param {HTMLFormElement} form */
function faultOf(form) {
  const { forever, ...values } = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  const numbers = Object.fromEntries(["times", "seconds"].filter((name) => name in values).map((name) => [name, Number(values[name])]));
  return { target: form.dataset.target, ...values, ...numbers, ...(forever ? { times: -1 } : {}) };
}

/** Show the fields that a fault needs, and no others. @param {HTMLFormElement} form */
function fitFields(form) {
  const kind = /** @type {HTMLSelectElement} */ (form.elements.namedItem("kind"));
  const label = /** @type {HTMLElement} */ (form.querySelector("label[data-seconds]"));
  label.hidden = kind.selectedOptions[0]?.dataset.seconds === undefined;
  /** @type {HTMLInputElement} */ (form.elements.namedItem("seconds")).disabled = label.hidden;
  const forever = /** @type {HTMLInputElement} */ (form.elements.namedItem("forever"));
  /** @type {HTMLInputElement} */ (form.elements.namedItem("times")).disabled = forever.checked;
}

function addListeners() {
  for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("form[data-target]"))) {
    form.addEventListener("change", () => fitFields(form));
    onSubmit(form, async () => {
      const { faults } = await command("/sandbox/faults", faultOf(form));
      return `${describeFault(faults.at(-1))}.`;
    });
    fitFields(form);
  }
  onClick(element("clear-faults"), async () => {
    await command("/sandbox/faults", {}, "DELETE");
    element("faults-title").focus();
    return "Everything works again.";
  });
  for (const button of all("[data-advance]")) onClick(button, () => advance(Number(button.dataset.advance)));
  onSubmit(element("advance"), (form) => advance(60 * Number(form.get("minutes"))));
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
  account.addEventListener("change", () => run(() => chooseAccount(account)));
  element("account-form").addEventListener("submit", (event) => event.preventDefault());
  for (const button of all("[data-show-all]")) {
    onClick(button, async () => {
      showOnly("");
      return "All requests, events and deliveries.";
    });
  }
  for (const button of all("[data-more]")) {
    button.addEventListener("click", () => {
      const name = button.dataset.more ?? "";
      view.limits[name] = MORE.find((limit) => limit > (view.limits[name] ?? FIRST)) ?? MORE[1];
      void refreshNow();
    });
  }
  for (const place of all("[data-origin]")) place.textContent = location.origin;
}

/** @param {number} seconds */
async function advance(seconds) {
  const { now } = await command("/sandbox/clock", { advance: seconds });
  return `It is ${formatTime(now)} now.`;
}

/** @param {HTMLElement} button @param {() => Promise<string>} action */
function onClick(button, action) {
  button.addEventListener("click", () => run(action));
}

/** @param {HTMLElement} form @param {(values: FormData) => Promise<string>} action */
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

/** Refresh once, and show whether the sandbox answers. */
async function refreshNow() {
  const connection = element("connection");
  const state = await refresh().then(
    () => ({ text: "Live", tone: "good" }),
    () => ({ text: "The sandbox does not answer. Trying again…", tone: "bad" }),
  );
  if (connection.textContent !== state.text) connection.textContent = state.text;
  connection.dataset.tone = state.tone;
}

/** Refreshes while the page is visible, and at once when it becomes visible again. */
async function poll() {
  for (;;) {
    if (!document.hidden) await refreshNow();
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL));
  }
}

addListeners();
document.addEventListener("visibilitychange", () => document.hidden || void refreshNow());
void poll();
