"""A real service with jobs and a real browser, each started once."""

from collections.abc import Iterator

import pytest

from tests.pages.browser import EXECUTABLE, WHY_NOT, Tab, browsing
from tests.pages.site import Site, site


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Tab]]:
    """The two, or a skip that says what is missing."""
    if EXECUTABLE is None:
        pytest.skip(WHY_NOT)
    with site(tmp_path_factory.mktemp("site")) as served, browsing() as tab:
        yield served, tab


@pytest.fixture
def pages(running: tuple[Site, Tab]) -> Site:
    """The service, with version 1 in production."""
    served, _ = running
    served.registry.set_alias("tiny", "production", version="1")
    return served


@pytest.fixture
def tab(running: tuple[Site, Tab]) -> Iterator[Tab]:
    """A light desktop window; in the end nothing has complained or asked elsewhere."""
    served, opened = running
    opened.scheme("light")
    opened.size(1280, 900)
    yield opened
    assert opened.complaints() == []
    strange = [
        address
        for address in opened.requests()
        if not address.startswith((served.url, "data:", "blob:", "about:"))
    ]
    assert strange == []
