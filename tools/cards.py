"""`make cards`: tries every test card in a headless browser against the running store, and says what differs.

Each card is typed into the real card field and paid with on the real payment page; the bank's question is answered on
the bank's page. The store's bench places the orders and holds what the shopper read, the events and the states against
the table, so that this command, the page `/bench` and the tests judge by the same rows. Needs the sandbox: Stripe's own
card field and bank do not let themselves be driven. Exits 1 if anything differs.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, BrowserContext, Error, Page, async_playwright
from tqdm import tqdm

from config import Settings
from store.domain.test_cards import Course, Place, TestCard, courses, groups
from tools.browser import find
from tools.headless import ARGUMENTS

PATIENCE = 30_000  # milliseconds for a page to get where it should
TOLD_WITHIN = 30.0  # seconds for the events, and what follows from them
READ_AT = {Place.ORDER: "h1", Place.PAYMENT: "[data-part=message]", Place.FIELD: "[data-part=card-error]"}


@dataclass(frozen=True, slots=True)
class Trial:
    """A course that was run. `trouble` says why there is no verdict, where there is none."""

    course: Course
    card: TestCard
    expected: dict[str, Any]
    got: dict[str, Any]
    trouble: str = ""

    @property
    def passed(self) -> bool:
        return not self.trouble and self.expected == self.got


def main() -> None:
    options = _parser().parse_args()
    chosen = [
        (card, course)
        for group, card, course in courses()
        if (not options.group or group.key in options.group)
        and (not options.cards or any(_plain(each) in (card.digits, course.key) for each in options.cards))
    ]
    if not chosen:
        sys.exit("No test card is like that.")
    trials = asyncio.run(_run(chosen, options.store, options.pages))
    _print_table(trials)
    differing = [trial for trial in trials if not trial.passed]
    print(f"\n{len(trials) - len(differing)} of {len(trials)} as expected.")
    sys.exit(1 if differing else 0)


async def _run(chosen: list[tuple[TestCard, Course]], store: str, pages: int) -> list[Trial]:
    """Every course once, on several pages side by side; in the order of the table."""
    waiting = list(reversed(chosen))
    done: dict[str, Trial] = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find(), args=ARGUMENTS)
        with tqdm(total=len(chosen), unit="card", file=sys.stderr) as progress:

            async def work() -> None:
                context, page, token = await _enter(browser, store)
                while waiting:
                    card, course = waiting.pop()
                    done[course.key] = await _try(context, page, token, card, course)
                    progress.update()

            await asyncio.gather(*(work() for _ in range(min(pages, len(chosen)))))
        await browser.close()
    return [done[course.key] for _card, course in chosen]


async def _enter(browser: Browser, store: str) -> tuple[BrowserContext, Page, str]:
    """A shopper of its own at the bench, with the token that its forms carry."""
    context = await browser.new_context(base_url=store, locale="en-US")
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    try:
        answer = await page.goto("/bench")
    except Error:
        sys.exit(f"There is no store at {store}. Start it with `make run`.")
    if answer is None or answer.status != 200:
        sys.exit(f"The store at {store} has no bench: it takes real money, or does not work.")
    return context, page, await page.locator("input[name=csrf_token]").first.input_value()


async def _try(context: BrowserContext, page: Page, token: str, card: TestCard, course: Course) -> Trial:
    try:
        placed = await context.request.post("/bench/runs.json", form={"course": course.key, "csrf_token": token})
        if placed.status != 201:
            return Trial(course, card, {}, {}, f"no order was placed: {placed.status}")
        run = await placed.json()
        await page.goto(run["pay"])
        await _pay(page, card, course)
        await _until_told(context, run, token, course)
        if course.outcome.page is Place.ORDER:
            await page.wait_for_url(f"**{run['page']}")  # where the payment page goes by itself
        read = await page.locator(READ_AT[course.outcome.page]).first.inner_text()
        answer = await context.request.post(run["result"], form={"read": read, "csrf_token": token})
        verdict = await answer.json()
        return Trial(course, card, verdict["expected"], verdict["got"])
    except (Error, KeyError) as failure:
        return Trial(course, card, {}, {}, str(failure).splitlines()[0])


async def _pay(page: Page, card: TestCard, course: Course) -> None:
    """Type the card, press Pay, answer the bank; ends where the page says how it went."""
    field = page.frame_locator("#card-field iframe")
    await page.locator("[data-module=payment_form][data-state=ready]").wait_for()
    typed = {"cardnumber": card.digits, "exp-date": card.expiry, "cvc": card.cvc, "postal": card.postal}
    for name, value in typed.items():
        await field.locator(f"input[name={name}]").fill(value)
    await page.locator("[data-part=pay]").click()
    if course.answer:
        bank = page.get_by_role("dialog").frame_locator("iframe")
        await bank.get_by_role("button", name=course.answer.capitalize()).click()
    if course.outcome.page is Place.ORDER:
        await page.wait_for_url(lambda address: not address.endswith("/pay"))
    else:
        await page.locator(f"{READ_AT[course.outcome.page]}:not(:empty)").filter(has_text=".").wait_for()


async def _until_told(context: BrowserContext, run: dict[str, str], token: str, course: Course) -> None:
    """Until all that should happen has happened, or it is too late for it; the verdict says which."""
    deadline = time.monotonic() + TOLD_WITHIN
    refunded = not course.outcome.refund
    while time.monotonic() < deadline:
        seen = await (await context.request.get(run["observed"])).json()
        if seen["complete"]:
            return
        if not refunded and seen["payment"] == "paid":
            refunded = True
            await context.request.post(run["refund"], form={"csrf_token": token})
        await asyncio.sleep(0.4)


def _print_table(trials: list[Trial]) -> None:
    for trial in trials:
        answer = f" {trial.course.answer}" if trial.course.answer else ""
        print(f"{'ok  ' if trial.passed else 'FAIL'}  {trial.card.number + answer:<32}  {trial.card.label}")
        if trial.trouble:
            print(f"        {trial.trouble}")
            continue
        if trial.passed:
            print(f"        {_line(trial.got)}")
            continue
        for name, expected in trial.expected.items():
            if expected != trial.got.get(name):
                print(f"        {name}: expected {_text(expected)}, got {_text(trial.got.get(name))}")


def _line(got: dict[str, Any]) -> str:
    flags = "".join(f", {name.replace('_', ' ')}" for name in ("disputed", "needs_review") if got[name])
    return f"{got['read']} | {_text(got['events'])} | {got['order']}, payment {got['payment']}{flags}"


def _text(value: object) -> str:
    return (", ".join(value) or "nothing") if isinstance(value, list) else str(value)


def _plain(text: str) -> str:
    return text.replace(" ", "")


def _parser() -> argparse.ArgumentParser:
    store = f"http://127.0.0.1:{Settings.load().store_port}"
    parser = argparse.ArgumentParser(prog="make cards", description="Try test cards against the running store.")
    parser.add_argument("cards", nargs="*", help="card numbers or rows; all where none is named")
    parser.add_argument("--group", action="append", choices=[group.key for group in groups()], help="cards of a group")
    parser.add_argument("--pages", type=int, default=3, help="how many are tried side by side (3)")
    parser.add_argument("--store", default=store, help=f"the store's address ({store})")
    return parser


if __name__ == "__main__":
    main()
