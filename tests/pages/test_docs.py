"""The API's description, shown by Swagger UI from this host's files."""

import pytest

from tests.pages.browser import Tab
from tests.pages.site import Site

pytestmark = pytest.mark.timeout(240)


def test_operations_are_shown_and_can_be_opened(pages: Site, tab: Tab) -> None:
    tab.open(f"{pages.url}/docs")
    tab.until("document.querySelectorAll('.opblock').length > 20")
    tab.click(".opblock-summary-control")
    tab.until("document.querySelector('.opblock.is-open .try-out__btn')")
