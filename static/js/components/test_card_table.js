// The table of test cards: search it, run a row or a group of them, see what came of it.

/** @import { Scenario, Facts } from "../test_card_run.js" */

import { runScenario, Unfinished } from "../test_card_run.js";
import { cardOf } from "../sandbox_autofill.js";
import { showMatching } from "../word_filter.js";

/** @param {HTMLElement} root */
export function startTestCardTable(root) {
  new TestCardTable(root).start();
}

class TestCardTable {
  /** @type {Window | null} */
  #shop = null;
  #busy = false;
  #stopped = false;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.rows = /** @type {HTMLElement[]} */ ([...root.querySelectorAll("[data-part=scenario]")]);
  }

  start() {
    this.root.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("button") : null;
      const rows = button ? this.rowsOf(button) : [];
      if (rows.length > 0) void this.run(rows);
    });
    this.part("stop").addEventListener("click", () => this.stop());
    this.part("filters").hidden = false;
    this.part("filters").addEventListener("input", ({ target }) => target !== this.part("pay-on") && this.filter());
    this.filter();
    this.count();
  }

  /** The rows that a button runs. @param {HTMLElement} button */
  rowsOf(button) {
    const of = { run: "[data-part=scenario]", "run-group": "[data-part=group]", "run-all": "[data-module]" };
    const around = button.closest(of[/** @type {keyof typeof of} */ (button.dataset.part)] ?? "none");
    return this.rows.filter((row) => around?.contains(row) && !row.hidden);
  }

  /** One after the other, in one window. @param {HTMLElement[]} rows */
  async run(rows) {
    if (this.#busy) return;
    // Now, while the browser knows that somebody clicked: later it would not let us.
    this.#shop = window.open("", "till-test-cards", "popup,width=480,height=860");
    if (!this.#shop) return this.enter(rows[0], "none", "blocked");
    this.setBusy(true);
    let done = 0;
    for (const row of rows) {
      this.showProgress(done, rows.length);
      await this.runRow(row, this.#shop);
      done += 1;
      if (this.#stopped || this.#shop.closed) break;
    }
    this.showProgress(done, rows.length);
    this.setBusy(false);
  }

  /** The row that runs is finished first: its order is placed already. */
  stop() {
    this.#stopped = true;
    this.part("stop").textContent = this.part("stop").dataset.stopping ?? "";
  }

  /** @param {number} done @param {number} of */
  showProgress(done, of) {
    const bar = /** @type {HTMLProgressElement} */ (this.part("progress"));
    bar.max = of;
    bar.value = done;
    this.part("done").textContent = `${done} / ${of}`;
  }

  /** @param {HTMLElement} row @param {Window} shop */
  async runRow(row, shop) {
    const token = /** @type {HTMLInputElement} */ (this.root.querySelector("input[name=csrf_token]")).value;
    const scenario = scenarioOf(row);
    this.differences(row).hidden = true;
    try {
      const { run, verdict } = await runScenario(scenario, shop, {
        place: this.root.dataset.place ?? "",
        hosted: /** @type {HTMLSelectElement} */ (this.part("pay-on")).value === "hosted",
        sandbox: this.root.dataset.sandbox ?? "",
        token,
        onStep: (step) => {
          this.enter(row, "running", step);
          if (step === "by-hand") void navigator.clipboard.writeText(scenario.card.number).catch(() => undefined);
        },
      });
      this.enter(row, verdict.passed ? "passed" : "failed", verdict.passed ? "passed" : "failed");
      row.querySelector("[data-part=order]")?.setAttribute("href", run.page);
      if (!verdict.passed) this.showDifferences(row, verdict.expected, verdict.got);
    } catch (problem) {
      if (!(problem instanceof Unfinished)) throw problem;
      this.enter(row, "none", problem.message);
    } finally {
      this.count();
    }
  }

  /** @param {HTMLElement} row @param {Facts} expected @param {Facts} got */
  showDifferences(row, expected, got) {
    const list = this.differences(row);
    list.replaceChildren(
      ...Object.keys(expected)
        .filter((name) => String(expected[name]) !== String(got[name]))
        .map((name) => this.difference(name, got[name])),
    );
    list.hidden = false;
  }

  /** @param {string} name @param {Facts[string]} value */
  difference(name, value) {
    const [line, term, detail] = ["div", "dt", "dd"].map((kind) => document.createElement(kind));
    term.append(this.template("differs", name)?.content.cloneNode(true) ?? name);
    detail.textContent = Array.isArray(value) ? value.join(", ") || "–" : String(value);
    line.append(term, detail);
    return line;
  }

  /** @param {HTMLElement} row @param {string} state @param {string} says */
  enter(row, state, says) {
    row.dataset.state = state;
    const words = this.template("says", says)?.content.cloneNode(true);
    row.querySelector("[data-part=says]")?.replaceChildren(...(words ? [words] : []));
  }

  /** Buttons that would run are dead meanwhile, but keep the focus they have. @param {boolean} busy */
  setBusy(busy) {
    const stop = this.part("stop");
    const focused = document.activeElement;
    this.#busy = busy;
    this.#stopped = false;
    this.part("running").hidden = !busy;
    stop.textContent = stop.dataset.stop ?? "";
    for (const button of this.root.querySelectorAll("button")) {
      if (button.dataset.part?.startsWith("run")) button.setAttribute("aria-disabled", String(busy));
    }
    if (!busy && focused === stop) this.part("run-all").focus();
    if (!busy) this.filter();
  }

  /** Show the rows of the group and with the result that were chosen, and with every word that is searched for. */
  filter() {
    const [search, group, result] = ["search", "of-group", "with-result"].map(
      (name) => /** @type {HTMLInputElement | HTMLSelectElement} */ (this.part(name)).value,
    );
    let found = showMatching(this.root, search, { entry: "[data-part=scenario]", group: "[data-part=group]" });
    for (const section of /** @type {NodeListOf<HTMLElement>} */ (this.root.querySelectorAll("[data-part=group]"))) {
      const rows = this.rows.filter((row) => section.contains(row) && !row.hidden);
      const other = rows.filter(
        (row) => (group && section.dataset.group !== group) || (result && row.dataset.state !== result),
      );
      for (const row of other) row.hidden = true;
      found -= other.length;
      section.hidden = rows.length === other.length;
    }
    this.part("none").hidden = found > 0;
    this.part("run-all").hidden = found === 0;
    this.part("found").textContent = String(found);
  }

  count() {
    const [passed, failed] = ["passed", "failed"].map(
      (state) => this.rows.filter((row) => row.dataset.state === state).length,
    );
    this.part("passed").textContent = String(passed);
    this.part("failed").textContent = String(failed);
    this.part("failures").hidden = failed === 0;
  }

  /** @param {HTMLElement} row */
  differences(row) {
    return /** @type {HTMLElement} */ (row.querySelector("[data-part=differences]"));
  }

  /** @param {string} name @returns {HTMLElement} */
  part(name) {
    return /** @type {HTMLElement} */ (this.root.querySelector(`[data-part="${name}"]`));
  }

  /** @param {string} kind @param {string} key @returns {HTMLTemplateElement | null} */
  template(kind, key) {
    return this.root.querySelector(`template[data-${kind}="${CSS.escape(key)}"]`);
  }
}

/** @param {HTMLElement} row @returns {Scenario} */
function scenarioOf(row) {
  const { scenario = "", page, answer, refund } = row.dataset;
  return {
    key: scenario,
    card: cardOf(row),
    page: /** @type {Scenario["page"]} */ (page),
    answer: /** @type {Scenario["answer"]} */ (answer || null),
    refund: refund !== undefined,
  };
}
