"""What every page is held against, on a small screen too, and how it is used with the keyboard alone."""

from playwright.sync_api import Locator, Page, expect

from tests.support.axe import obstacles

SMALL = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def press_on(page: Page, role: str, name: str) -> None:
    """Tab until the focus is on the control, then press Enter."""
    control = page.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]  # one of Playwright's role names
    expect(control).to_be_visible()
    tab_to(page, control)
    page.keyboard.press("Enter")


def type_into(page: Page, label: str, text: str) -> None:
    """Tab until the focus is in the field, then type."""
    tab_to(page, page.get_by_label(label, exact=True))
    page.keyboard.type(text)


def tab_to(page: Page, control: Locator) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if control.evaluate("element => element === document.activeElement"):
            break
    expect(control).to_be_focused()


def see_a_good_page(page: Page, heading: str) -> None:
    """It has this heading, fits the window and keeps nobody from using it."""
    expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
    see_no_sideways_scrolling(page)
    assert obstacles(page) == []


def see_no_sideways_scrolling(page: Page) -> None:
    page.wait_for_load_state()  # with its sheet: a page that arrived in pieces is measured without one before
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} pixels too wide"


def see_nothing_cut_off(page: Page) -> None:
    """Everything that is shown ends within the window and within the box that it is in."""
    see_no_sideways_scrolling(page)
    cut_off = page.evaluate(
        """() => {
            const overflows = (each) =>
                getComputedStyle(each).overflowX !== "visible" && each.scrollWidth > each.clientWidth + 1;
            return [...document.body.querySelectorAll("*")]
                .filter((each) => each.checkVisibility())
                .filter((each) => !each.closest(".out-of-sight, svg, dialog, .picture, select"))
                .filter((each) => each.getBoundingClientRect().right > innerWidth + 1 || overflows(each))
                .map((each) => `${each.tagName}.${each.className}`);
        }"""
    )
    assert cut_off == []
