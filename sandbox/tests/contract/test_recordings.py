"""The sandbox answers as Stripe's test mode did when it was recorded, field by field."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from harness.recordings import Names, differences, play, saved

RECORDINGS = sorted(Path(__file__).with_name("recordings").glob("*.json"))


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_a_recording_repeats_itself(recording: Path, http: FlaskClient, later: Callable[[float], None]) -> None:
    names: Names = {"run": "r1"}
    found = []

    for step in json.loads(recording.read_text(encoding="utf-8"))["steps"]:
        times = step.get("repeat", 1)
        status, body = [play(step, http, {**names, "i": f"{number:03d}"}) for number in range(times)][-1]
        differing = list(differences(step, status, body, names))
        for _ in range(int(step.get("poll_s", 0))):
            if differing:
                later(1)
                status, body = play(step, http, names)
                differing = list(differences(step, status, body, names))
        names |= saved(step, body)
        found += [f"{step['seq']} {step['name']}: {difference}" for difference in differing]

    assert found == []
