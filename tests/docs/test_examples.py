"""Every example of the pages does what the page says, but those marked with the reason why not."""

import shutil

import httpx
import pytest

from tests.docs.household import CHANGES, Household
from tests.docs.pages import Block, blocks, pages, text_of
from tests.sentiscope.launched import launched

RUN = {"sh", "python"}
FIRST = "docs/guides/own-data.md"
"""Others look at what it leaves."""

LAST = "docs/guides/operate.md"
APART = {FIRST, LAST, "README.md"}
"""Those with a place or a test of their own."""

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("curl") is None, reason="the pages' examples use curl"),
]


def is_run(block: Block) -> bool:
    return block.language in RUN and block.not_run is None


@pytest.mark.parametrize(
    "page", [FIRST, *(p for p in pages() if p not in APART and any(map(is_run, blocks(p))))]
)
def test_examples_of_a_page_run(page: str, home: Household) -> None:
    home.run(page)


@pytest.mark.parametrize("written", CHANGES)
def test_what_is_changed_for_the_tests_is_written_somewhere(written: str) -> None:
    assert any(written in text_of(page) for page in pages())


def test_what_was_backed_up_is_all_there_once_restored(home: Household) -> None:
    home.run(LAST)
    known = ("/v1/jobs?status=succeeded", "/v1/models", "/v1/datasets")
    with launched(home.folder / "restored") as restored:
        for path in known:
            there, here = httpx.get(restored.url + path), httpx.get(home.running.url + path)
            assert there.json() == here.json()
