"""`make cards`: tries every test card in a headless browser against the running store, and says what differs.

Each card is typed into the real card field and paid with on the real payment page, or with `--hosted` on the payment
service's own page; the 3-D Secure challenge is answered on the bank's page. The store's test-card page places the
orders and compares what the shopper read, the events and the states with the table, so that this command, the page
`/test-cards` and the tests judge by the same rows.
It needs the sandbox: Stripe's own card field and bank cannot be automated.
Exits with 1 if anything differs, with 2 if it could not be tried.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass
from typing import Any, NoReturn

from playwright.async_api import APIResponse, Browser, BrowserContext, Error, Page, async_playwright
from tqdm import tqdm

from config import ConfigurationError, Settings
from store.testmode.test_cards import Place, Scenario, TestCard, groups, scenarios
from tools.browser import BrowserMissing, find_shell
from tools.headless import ARGUMENTS

PAGE_TIMEOUT = 30_000  # milliseconds
RESULT_TIMEOUT = 30.0  # seconds for the events and their effects
RETRIES = 2  # of a call whose connection the server had just closed for being idle: it never saw the call
COULD_NOT_BE_TRIED = 2  # the exit status, beside 0 and 1
READ_AT = {Place.ORDER: "h1", Place.PAYMENT: "[data-part=message]", Place.FIELD: "[data-part=card-error]"}


@dataclass(frozen=True, slots=True)
class Trial:
    """A scenario that was run. `trouble` says why there is no verdict, where there is none."""

    scenario: Scenario
    card: TestCard
    expected: dict[str, Any]
    got: dict[str, Any]
    trouble: str = ""

    @property
    def passed(self) -> bool:
        return not self.trouble and self.expected == self.got


class Impossible(Exception):
    """The cards cannot be tried; the message says why, and what to do."""


def main() -> None:
    options = _parser().parse_args()
    chosen = [
        (card, scenario)
        for group, card, scenario in scenarios()
        if (not options.group or group.key in options.group)
        and (not options.cards or any(_plain(each) in (card.digits, scenario.key) for each in options.cards))
    ]
    if not chosen:
        _exit("No test card is like that.")
    done: dict[str, Trial] = {}
    try:
        asyncio.run(_run(chosen, done, options))
    except KeyboardInterrupt:
        print(f"\nStopped after {len(done)} of {len(chosen)}.", file=sys.stderr)
    except (Impossible, BrowserMissing) as reason:
        _exit(str(reason))
    trials = [done[scenario.key] for _card, scenario in chosen if scenario.key in done]
    _print_table(trials)
    passed = sum(trial.passed for trial in trials)
    print(f"\n{passed} of {len(chosen)} as expected{_missing(len(chosen) - len(trials))}.")
    sys.exit(0 if passed == len(chosen) else COULD_NOT_BE_TRIED if passed == len(trials) else 1)


async def _run(chosen: list[tuple[TestCard, Scenario]], done: dict[str, Trial], options: argparse.Namespace) -> None:
    """Every scenario once, on several pages side by side, into `done`. Raises Impossible."""
    waiting = list(reversed(chosen))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_shell(), args=ARGUMENTS, handle_sigint=False)
        count = min(options.pages, len(chosen))
        visits = await asyncio.gather(*(_enter(browser, options) for _ in range(count)))
        with tqdm(total=len(chosen), unit="card", file=sys.stderr, dynamic_ncols=True) as progress:

            async def work(visit: Visit) -> None:
                while waiting:
                    card, scenario = waiting.pop()
                    done[scenario.key] = await visit.attempt(card, scenario)
                    progress.set_postfix(differ=sum(not trial.passed for trial in done.values()))
                    progress.update()

            await asyncio.gather(*map(work, visits))
        await browser.close()


async def _enter(browser: Browser, options: argparse.Namespace) -> Visit:
    """A shopper of its own at the test-card page. Raises Impossible."""
    store: str = options.store
    context = await browser.new_context(base_url=store, locale="en-US")
    context.set_default_timeout(PAGE_TIMEOUT)
    page = await context.new_page()
    try:
        answer = await page.goto("/test-cards")
    except Error:
        raise Impossible(f"There is no store at {store}. Start it with `make run`.") from None
    status = answer.status if answer else 0
    if status == 404:
        raise Impossible(f"The store at {store} takes real money: test cards do nothing there.")
    test_cards = page.locator("[data-module=test_card_table]")
    if status != 200 or not await test_cards.count():
        raise Impossible(f"The store at {store} does not show its test-card page ({status}). Its log says why.")
    if not await page.locator("[data-module=test_card_table][data-sandbox]").count():
        raise Impossible(
            f"The store at {store} uses Stripe itself, whose card field and bank take nothing from a program. "
            f"Run the cards by hand at {store}/test-cards, or take the keys out of .env to try them in the sandbox."
        )
    token = await page.locator("input[name=csrf_token]").first.input_value()
    return Visit(context, page, token, options.timeout, options.hosted)


@dataclass(frozen=True, slots=True)
class Visit:
    """A shopper who tries one card after the other, `hosted` on the payment service's own page. `token` is what the
    test-card page's forms carry; `timeout` is seconds.
    """

    context: BrowserContext
    page: Page
    token: str
    timeout: float
    hosted: bool

    async def attempt(self, card: TestCard, scenario: Scenario) -> Trial:
        """Order, pay as the scenario says, and ask for the test-card page's verdict. Raises Impossible when the store
        is gone.
        """
        try:
            hosted = {"hosted": "1"} if self.hosted else {}
            placed = await self._post("/test-cards/runs.json", scenario=scenario.key, **hosted)
            if placed.status != 201:
                return Trial(scenario, card, {}, {}, f"no order was placed: {placed.status}")
            run = await placed.json()
            await self.page.goto(run["pay"])
            await (_pay_on_hosted_page if self.hosted else _pay)(self.page, card, scenario)
            await self._wait_for_result(run, scenario)
            answer = await self._post(run["result"], read=await self._read(run, scenario))
            verdict = await answer.json()
            return Trial(scenario, card, verdict["expected"], verdict["got"])
        except (Error, KeyError, ValueError) as failure:
            if "ECONNREFUSED" in str(failure) or "ERR_CONNECTION_REFUSED" in str(failure):
                raise Impossible("The store went away while cards were tried.") from None
            return Trial(scenario, card, {}, {}, str(failure).splitlines()[0])

    async def _wait_for_result(self, run: dict[str, str], scenario: Scenario) -> None:
        """Wait until the run is complete, or until the timeout; the verdict says which."""
        deadline = time.monotonic() + self.timeout
        refunded = not scenario.expected.refund
        while time.monotonic() < deadline:
            answer = await self.context.request.get(run["observed"], max_retries=RETRIES)
            seen = await answer.json()
            if seen["complete"]:
                return
            if not refunded and seen["payment"] == "paid":
                refunded = True
                await self._post(run["refund"])
            await asyncio.sleep(0.4)

    async def _post(self, address: str, **form: str) -> APIResponse:
        return await self.context.request.post(address, form={**form, "csrf_token": self.token}, max_retries=RETRIES)

    async def _read(self, run: dict[str, str], scenario: Scenario) -> str:
        """What the shopper reads now. The order's page is opened in a tab of its own: it says what is so when it is
        loaded, and the payment page is on its way there by itself.
        """
        place = READ_AT[scenario.expected.page]
        if self.hosted and scenario.expected.page is not Place.ORDER:
            return ""  # the words are not the store's
        if scenario.expected.page is not Place.ORDER:
            return await self.page.locator(place).first.inner_text()
        tab = await self.context.new_page()
        try:
            await tab.goto(run["page"])
            return await tab.locator(place).first.inner_text()
        finally:
            await tab.close()


async def _pay(page: Page, card: TestCard, scenario: Scenario) -> None:
    """Type the card, press Pay, answer the bank; returns once the page shows the result."""
    await page.locator("[data-module=payment_form][data-state=ready]").wait_for()
    element = await page.locator("#card-field.payment-element").count() > 0
    field = page.frame_locator("#card-field iframe").first  # the Payment Element may have others below
    names = ("number", "expiry", "cvc", "postalCode") if element else ("cardnumber", "exp-date", "cvc", "postal")
    for name, value in zip(names, (card.digits, card.expiry, card.cvc), strict=False):
        await field.locator(f"input[name={name}]").fill(value)
    postal = field.locator(f"input[name={names[-1]}]")
    if await postal.count() and await postal.is_visible():
        await postal.fill(card.postal)
    await page.locator("[data-part=pay]").click()
    if scenario.answer:
        bank = page.get_by_role("dialog").frame_locator("iframe").frame_locator("iframe")
        await bank.get_by_role("button", name=scenario.answer.capitalize()).click()
    if scenario.expected.page is Place.ORDER:
        await page.wait_for_url(lambda address: not address.endswith("/pay"))
    else:
        await page.locator(f"{READ_AT[scenario.expected.page]}:not(:empty)").filter(has_text=".").wait_for()


async def _pay_on_hosted_page(page: Page, card: TestCard, scenario: Scenario) -> None:
    """Go to the payment service's own page and do the same there."""
    await page.locator("#hosted-payment").get_by_role("button").click()
    typed = {"cardNumber": card.digits, "cardExpiry": card.expiry, "cardCvc": card.cvc, "billingName": "Test Shopper"}
    for name, value in typed.items():
        await page.locator(f"#{name}").fill(value)
    if await page.locator("#billingPostalCode").is_visible():
        await page.locator("#billingPostalCode").fill(card.postal)
    await page.get_by_test_id("hosted-payment-submit-button").click()
    if scenario.answer:
        bank = page.get_by_role("dialog").frame_locator("iframe").frame_locator("iframe")
        await bank.get_by_role("button", name=scenario.answer.capitalize()).click()
    if scenario.expected.page is Place.ORDER:
        await page.wait_for_url(lambda address: "/orders/" in address)
    else:
        await page.locator("#card-error, #form-error").filter(visible=True).first.wait_for()


def _print_table(trials: list[Trial]) -> None:
    """For each card what was expected and what happened; what differs stands out."""
    for trial in trials:
        answer = f" {trial.scenario.answer}" if trial.scenario.answer else ""
        print(f"{'ok  ' if trial.passed else 'FAIL'}  {trial.card.number + answer:<32}  {trial.card.label}")
        if trial.trouble:
            print(f"        no verdict: {trial.trouble}")
            continue
        print(f"        expected  {_line(trial.expected)}")
        print(f"        got       {'the same' if trial.passed else _line(trial.got)}")
        for name, expected in trial.expected.items():
            if expected != trial.got.get(name):
                print(f"        {name}: expected {_text(expected)}, got {_text(trial.got.get(name))}")


def _line(got: dict[str, Any]) -> str:
    flags = "".join(f", {name.replace('_', ' ')}" for name in ("disputed", "needs_review") if got[name])
    return f"{got['read']} | {_text(got['events'])} | {got['order']}, payment {got['payment']}{flags}"


def _text(value: object) -> str:
    return (", ".join(value) or "nothing") if isinstance(value, list) else str(value)


def _missing(number: int) -> str:
    return f", {number} not tried" if number else ""


def _exit(reason: str) -> NoReturn:
    print(reason, file=sys.stderr)
    sys.exit(COULD_NOT_BE_TRIED)


def _plain(text: str) -> str:
    return text.replace(" ", "")


def _parser() -> argparse.ArgumentParser:
    try:
        store = f"http://127.0.0.1:{Settings.load().store_port}"
    except ConfigurationError as problems:
        _exit(str(problems))
    parser = argparse.ArgumentParser(prog="make cards", description="Try test cards against the running store.")
    parser.add_argument("cards", nargs="*", help="card numbers or rows; all where none is named")
    parser.add_argument("--group", action="append", choices=[group.key for group in groups()], help="cards of a group")
    parser.add_argument("--hosted", action="store_true", help="pay on the payment service's own page")
    parser.add_argument("--pages", type=int, default=3, help="how many are tried side by side (3)")
    parser.add_argument("--timeout", type=float, default=RESULT_TIMEOUT, help="seconds to wait for the result (30)")
    parser.add_argument("--store", default=store, help=f"the store's address ({store})")
    return parser


if __name__ == "__main__":
    main()
