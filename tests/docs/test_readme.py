"""The README's way from a bare start to a trained model's prediction, with curl alone."""

import json
import re
import shutil
from typing import Any

import pytest

from tests.docs.household import URL, Household
from tests.docs.pages import Block, blocks, text_of

FULL = '{"preset": "demo"}'
FEW = {"epochs": 1, "steps_per_epoch": 2}
SHORT: dict[str, Any] = {
    "preset": "demo",
    **dict.fromkeys(("stimuli", "organizing", "perceiving"), FEW),
    "amalgamate": {"epochs": 1},
    "export": {"int8": False},
}
"""The same chain, cut short."""

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(shutil.which("curl") is None, reason="the walk is one with curl"),
]


def typed() -> list[Block]:
    """What a newcomer types once the service runs: first prediction, first pipeline."""
    return [each for each in blocks("README.md") if each.language == "sh" and not each.not_run]


def printed(home: Household, command: str, **variables: str) -> str:
    """What it prints to stdout."""
    given = "".join(f"{name}={value}\n" for name, value in variables.items())
    return home.shell(given + command.replace(URL, home.running.url) + " 2> /dev/null")


def test_newcomer_reads_no_more_than_two_screens() -> None:
    assert len(text_of("README.md").splitlines()) <= 110


def test_first_prediction_is_the_one_that_is_shown(home: Household) -> None:
    answer = json.loads(printed(home, typed()[0].text.strip()))
    (shown,) = (json.loads(each.text) for each in blocks("README.md") if each.language == "json")
    (mine,), (theirs,) = answer["predictions"], shown["predictions"]
    assert answer["model"]["version"] == shown["model"]["version"]
    assert mine["image"] == theirs["image"]
    assert mine["single"]["label"] == theirs["single"]["label"]
    assert mine["multi"]["labels"] == theirs["multi"]["labels"]
    assert mine["distribution"]["dominant"] == theirs["distribution"]["dominant"]
    assert mine["single"]["score"] == pytest.approx(theirs["single"]["score"], abs=0.02)


def test_pipeline_is_submitted_polled_streamed_and_its_model_predicts(home: Household) -> None:
    submit, poll, stream, predict = typed()[1].text.splitlines()
    assert FULL in submit
    short = submit.replace(FULL, json.dumps(SHORT)).replace(URL, home.running.url)
    job_id = home.shell(f"{short}; echo $ID").strip()
    record = json.loads(printed(home, poll, ID=job_id))
    assert (record["kind"], record["status"]) in {("pipeline", "queued"), ("pipeline", "running")}

    told = printed(home, stream, ID=job_id)
    events = [json.loads(data) for data in re.findall(r"^data: ?(.*)$", told, re.MULTILINE)]
    done = [each["step"] for each in events if each.get("status") == "succeeded" and "step" in each]
    assert sorted(done[:3]) == ["organizing", "perceiving", "stimuli"], events
    assert done[3:] == ["amalgamate", "evaluate", "export"]
    record = json.loads(printed(home, poll, ID=job_id))
    assert record["status"] == "succeeded", record["error"]
    assert record["progress"]["fraction"] == 1
    assert (record["result"]["model"], record["result"]["promoted"]) == ("demo", True)

    answer = json.loads(printed(home, predict))
    assert answer["model"]["version"] == record["result"]["version"]
    assert {"single", "distribution"} <= answer["predictions"][0].keys()
