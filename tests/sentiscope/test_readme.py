"""The README's way from a bare start to a trained model's prediction, with curl alone."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import until
from tests.sentiscope.command_line import PHOTOS
from tests.sentiscope.launched import launched
from tests.training.generated import ROOT

HEADING = "## Train over REST"
URL = "http://127.0.0.1:8000"
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


def commands(url: str) -> list[str]:
    """Those of the README, for a service at `url` and a chain that is cut short."""
    section = (ROOT / "README.md").read_text().partition(HEADING)[2]
    block = re.search(r"```\n(.*?)```", section, re.DOTALL)
    assert block
    text = block.group(1)
    assert FULL in text
    changes = {URL: url, FULL: json.dumps(SHORT), "photo.jpg": str(PHOTOS[0])}
    for written, wanted in changes.items():
        text = text.replace(written, wanted)
    return text.splitlines()


def run(command: str, **variables: str) -> str:
    """What it prints; the README's shell is bash."""
    done = subprocess.run(
        ["bash", "-c", command], env=variables, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Everything at work, the demo data sets painted."""
    with launched(tmp_path) as running:
        card = tmp_path / "var" / "datasets" / "demo-emotions" / "dataset.json"
        until(lambda: card.exists() or None, timeout_s=120)
        yield running.url


def test_pipeline_is_submitted_polled_streamed_and_its_model_predicts(url: str) -> None:
    submit, poll, stream, predict = commands(url)
    job_id = run(f"{submit}; echo $ID").strip()
    record = json.loads(run(poll, ID=job_id))
    assert (record["kind"], record["status"]) in {("pipeline", "queued"), ("pipeline", "running")}

    told = run(stream, ID=job_id)
    events = [json.loads(data) for data in re.findall(r"^data: ?(.*)$", told, re.MULTILINE)]
    done = [each["step"] for each in events if each.get("status") == "succeeded" and "step" in each]
    assert sorted(done[:3]) == ["organizing", "perceiving", "stimuli"], events
    assert done[3:] == ["amalgamate", "evaluate", "export"]
    record = json.loads(run(poll, ID=job_id))
    assert record["status"] == "succeeded", record["error"]
    assert record["progress"]["fraction"] == 1
    assert (record["result"]["model"], record["result"]["promoted"]) == ("demo", True)

    answer = json.loads(run(predict))
    assert answer["model"]["version"] == record["result"]["version"]
    assert {"single", "distribution"} <= answer["predictions"][0].keys()
