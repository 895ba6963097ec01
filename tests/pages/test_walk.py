"""A newcomer's way through the pages: a first prediction, and a model of one's own."""

import json
from pathlib import Path

import pytest

from tests.pages.browser import EXECUTABLE, WHY_NOT, browsing
from tests.processes import until
from tests.sentiscope.launched import launched

FEW = {"epochs": 1, "steps_per_epoch": 2}
SHORT = {
    **dict.fromkeys(("stimuli", "organizing", "perceiving"), FEW),
    "amalgamate": {"epochs": 1},
    "export": {"int8": False},
}
"""The demo's chain, cut short."""

_PATIENCE_S = 600.0

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(EXECUTABLE is None, reason=WHY_NOT),
]


def test_first_prediction_and_a_finished_pipeline_without_leaving_the_page(tmp_path: Path) -> None:
    with launched(tmp_path) as running, browsing() as tab:
        tab.open(running.url)
        tab.until("document.querySelector('#model').value")
        tab.click(".sample")
        tab.until("document.querySelector('.headline')")
        card = tmp_path / "var" / "datasets" / "demo-emotions" / "dataset.json"
        until(lambda: card.exists() or None, timeout_s=120)

        tab.open(f"{running.url}/jobs")
        tab.until("document.querySelector('a[href=\"#new\"]')")
        tab.click("a[href='#new']")
        tab.until("document.querySelector('#field-config-preset')?.value === 'demo/pipeline'")
        tab.choose("#field-config", json.dumps(SHORT))
        tab.run("document.querySelector('form').requestSubmit()")
        tab.until("document.querySelectorAll('ol .job').length === 6")
        ended = "['succeeded', 'failed'].includes(document.querySelector('.pill')?.innerText)"
        tab.until(ended, timeout_s=_PATIENCE_S)
        assert "succeeded" in tab.text("h2"), tab.text()
        assert "Model demo, version 1" in tab.text()
        assert "It is in production." in tab.text()

        tab.run("[...document.links].find((link) => link.innerText === 'Try it').click()")
        tab.until("document.querySelector('#model')?.value === 'demo@1'")
        tab.click(".sample:last-child, li:last-child .sample")
        tab.until("document.querySelector('.headline')")
        assert tab.complaints() == []

        tab.open(f"{running.url}/models#demo")
        tab.until("document.querySelector('.graph')")
        lineage = tab.run("document.querySelector('.graph').getAttribute('aria-label')")
        assert "demo-scenes" in lineage
