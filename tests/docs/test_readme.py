"""The README's way from a bare start to a trained model's prediction: by curl, and on the pages."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.docs.household import URL, Household
from tests.docs.pages import Block, blocks, text_of
from tests.pages.browser import EXECUTABLE, WHY_NOT, browsing

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


@dataclass(frozen=True, slots=True)
class Trained:
    """A pipeline that was submitted and followed to its end, as the README has it."""

    job_id: str
    submitted: Mapping[str, Any]
    told: str
    ended: Mapping[str, Any]


@pytest.fixture(scope="module")
def trained(home: Household) -> Trained:
    submit, poll, stream, _ = typed()[1].text.splitlines()
    assert FULL in submit
    short = submit.replace(FULL, json.dumps(SHORT)).replace(URL, home.running.url)
    job_id = home.shell(f"{short}; echo $ID").strip()
    submitted = json.loads(printed(home, poll, ID=job_id))
    told = printed(home, stream, ID=job_id)
    return Trained(job_id, submitted, told, json.loads(printed(home, poll, ID=job_id)))


def test_pipeline_is_submitted_polled_and_streamed_to_its_end(trained: Trained) -> None:
    record = trained.submitted
    assert (record["kind"], record["status"]) in {("pipeline", "queued"), ("pipeline", "running")}
    lines = re.findall(r"^data: ?(.*)$", trained.told, re.MULTILINE)
    events = [json.loads(data) for data in lines]
    done = [each["step"] for each in events if each.get("status") == "succeeded" and "step" in each]
    assert sorted(done[:3]) == ["organizing", "perceiving", "stimuli"], events
    assert done[3:] == ["amalgamate", "evaluate", "export"]
    record = trained.ended
    assert record["status"] == "succeeded", record["error"]
    assert record["progress"]["fraction"] == 1
    assert (record["result"]["model"], record["result"]["promoted"]) == ("demo", True)


def test_model_of_the_pipeline_predicts(home: Household, trained: Trained) -> None:
    answer = json.loads(printed(home, typed()[1].text.splitlines()[-1]))
    assert answer["model"]["version"] == trained.ended["result"]["version"]
    assert {"single", "distribution"} <= answer["predictions"][0].keys()


@pytest.mark.skipif(EXECUTABLE is None, reason=WHY_NOT)
def test_pages_tell_of_the_pipeline_and_try_its_model(home: Household, trained: Trained) -> None:
    url, version = home.running.url, trained.ended["result"]["version"]
    with browsing() as tab:
        tab.open(url)
        tab.until("document.querySelector('#model').value")
        tab.click(".sample")
        tab.until("document.querySelector('.headline')")
        assert tab.complaints() == []

        tab.open(f"{url}/jobs#{trained.job_id}")
        tab.until("document.querySelectorAll('ol .job').length === 6")
        tab.until("document.body.innerText.includes('It is in production.')")
        assert "succeeded" in tab.text("h2"), tab.text()
        assert f"Model demo, version {version}" in tab.text()

        tab.run("[...document.links].find((link) => link.innerText === 'Try it').click()")
        tab.until(f"document.querySelector('#model')?.value === 'demo@{version}'")
        tab.click(".sample:last-child, li:last-child .sample")
        tab.until("document.querySelector('.headline')")
        assert tab.complaints() == []

        tab.open(f"{url}/models#demo")
        tab.until("document.querySelector('.graph')")
        lineage = tab.run("document.querySelector('.graph').getAttribute('aria-label')")
        assert "demo-scenes" in lineage
        assert tab.complaints() == []
