import re
from pathlib import Path

import pytest

from app.routes.page import FILES
from tests.app.client import Client

TYPES = {
    "/": "text/html",
    "/static/page.js": "javascript",
    "/static/style.css": "text/css",
}


@pytest.mark.parametrize("path", TYPES)
def test_page_and_what_it_needs_are_served(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert TYPES[path] in response.headers["content-type"]
    assert response.headers["x-content-type-options"] == "nosniff"


def test_page_may_load_nothing_from_elsewhere_and_run_nothing_inline(client: Client) -> None:
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_page_has_nothing_that_its_policy_forbids() -> None:
    page = (FILES / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=", page) == []


@pytest.mark.parametrize("path", sorted(FILES.iterdir()), ids=lambda path: path.name)
def test_no_file_names_another_host(path: Path) -> None:
    assert not re.search(r"(https?:)?//[a-z]", path.read_text())


def test_every_element_that_the_script_gets_is_on_the_page() -> None:
    page, script = ((FILES / name).read_text() for name in ("index.html", "page.js"))
    wanted = set(re.findall(r'get\("(\w+)"\)', script))
    assert wanted
    assert wanted <= set(re.findall(r'\bid="(\w+)"', page))
