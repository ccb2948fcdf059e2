"""A form of the shop is sent once, however often its button is pressed: the browser's half of it, run by Node."""

import json
from pathlib import Path

from tests.support.node import run_node

SCRIPT = Path(__file__).parents[3] / "static" / "js" / "components" / "submit_once.js"

# A window and a form in it as far as the script knows them. `submit` says whether the browser would send the form.
FORM_IN_A_WINDOW = f"""
import {{ startSubmitOnce }} from {json.dumps(SCRIPT.as_uri())};
const [window, form] = [new EventTarget(), new EventTarget()];
globalThis.addEventListener = window.addEventListener.bind(window);
const submit = () => form.dispatchEvent(new Event("submit", {{ cancelable: true }}));
startSubmitOnce(form);
"""


def sent(program: str) -> list[bool]:
    """Of each time the form was submitted, whether it was sent."""
    done = run_node("--input-type=module", "--eval", f"{FORM_IN_A_WINDOW}\nconsole.log(JSON.stringify({program}));")
    assert done.returncode == 0, done.stderr
    answers: list[bool] = json.loads(done.stdout)
    return answers


def test_a_second_and_a_third_press_send_nothing() -> None:
    assert sent("[submit(), submit(), submit()]") == [True, False, False]


def test_a_shopper_who_comes_back_to_the_form_can_send_it_again() -> None:
    assert sent('[submit(), (window.dispatchEvent(new Event("pageshow")), submit()), submit()]') == [True, True, False]
