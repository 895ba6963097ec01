"""For everybody: labels, contrast, keyboard, phone, and the key where one is asked for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.keys import Scope, create_key
from tests.pages import audit
from tests.pages.browser import Tab
from tests.pages.site import Site, site

pytestmark = pytest.mark.timeout(240)
TAB = ("Tab", 9)
PAGES = {
    "predict": ("/", "document.querySelector('#model').value"),
    "jobs": ("/jobs", "document.querySelector('.job')"),
    "job": (
        "/jobs#{job}",
        "document.querySelector('.chart') && document.querySelector('.log').innerText",
    ),
    "form": ("/jobs#new", "document.querySelector('#field-config-preset')?.value"),
    "models": ("/models", "document.querySelector('.card')"),
}


@pytest.fixture(scope="module")
def job(running: tuple[Site, Tab]) -> str:
    return running[0].started()[0]


def opened(name: str, tab: Tab, pages: Site, job: str) -> None:
    path, ready = PAGES[name]
    tab.open(pages.url + path.format(job=job))
    tab.until(ready)
    if name == "predict":
        tab.click(".sample")
        tab.until("document.querySelector('.bar') && !document.querySelector('[aria-busy=true]')")
        tab.click(".card summary")


@pytest.mark.parametrize("name", PAGES)
def test_page_has_labels_contrast_and_room_in_both_schemes(
    name: str, tab: Tab, pages: Site, job: str
) -> None:
    opened(name, tab, pages, job)
    assert tab.run(audit.UNLABELLED) == []
    assert tab.run(audit.NAMELESS_PICTURES) == []
    assert tab.run(audit.DOUBLE_IDS) == []
    assert tab.run("document.querySelectorAll('h1').length") == 1
    for scheme in ("light", "dark"):
        tab.scheme(scheme)
        assert tab.run(audit.LOW_CONTRAST) == []
    for width in (390, 1280):
        tab.size(width, 844)
        assert tab.run(audit.TOO_WIDE) <= 0


def test_keyboard_goes_through_the_page_in_order_and_is_seen(tab: Tab, pages: Site) -> None:
    tab.open(f"{pages.url}/")
    tab.until("document.querySelector('#model').value")
    order = []
    for _ in range(10):
        tab.press(*TAB)
        order.append(tab.run(audit.FOCUSED))
        assert tab.run(audit.OUTLINED), order[-1]
    links = ["To the content", "Sentiscope", "Predict", "Jobs", "Models", "API"]
    assert order == [*links, "model", "compare", "file", "Harbour at dusk"]
    tab.press("Enter", 13, text="\r")
    tab.until("document.querySelector('.bar')")


def test_evidence_is_chosen_by_the_keyboard_and_the_focus_stays(
    tab: Tab, pages: Site, job: str
) -> None:
    opened("predict", tab, pages, job)
    tab.run("document.querySelector('.single .bar[aria-label^=green]').focus()")
    tab.press("Enter", 13, text="\r")
    tab.until("document.querySelector('.single .bar[aria-label^=green]').ariaPressed === 'true'")
    tab.until("document.activeElement.matches('.single .bar[aria-label^=green]')")


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    folder: Path = tmp_path_factory.mktemp("locked")
    key = create_key(folder / "keys.json", "page", frozenset(Scope))
    with site(folder, keys_file=folder / "keys.json") as served:
        yield served, key


def test_key_is_asked_for_kept_and_sent(tab: Tab, pages: Site, locked: tuple[Site, str]) -> None:
    served, key = locked
    tab.open(f"{served.url}/models")
    tab.until("document.querySelector('dialog[open] #api-key')")
    tab.choose("#api-key", "schlüssel→")
    tab.click("dialog button[value=use]")
    assert tab.run("document.querySelector('dialog[open] #api-key').validity.patternMismatch")
    assert tab.run("sessionStorage.length") == 0
    tab.choose("#api-key", "wrong")
    tab.click("dialog button[value=use]")
    tab.until("document.querySelector('dialog[open] #api-key')?.value === ''")
    tab.choose("#api-key", key)
    tab.click("dialog button[value=use]")
    tab.until("document.querySelector('.card')")
    assert all("401" in each for each in tab.complaints())
    tab.open(f"{served.url}/")
    tab.until("document.querySelector('#model').value")
    tab.click(".sample")
    tab.until("document.querySelector('.calls pre')")
    assert "$SENTISCOPE_KEY" in tab.run("document.querySelector('.calls pre').textContent")
    assert key not in tab.run("document.body.innerHTML")
    tab.click("#change-key")
    tab.until("document.querySelector('dialog[open] #api-key')")
    tab.run("sessionStorage.clear()")
    tab.open(f"{pages.url}/models")
