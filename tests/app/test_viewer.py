import re

import pytest

from app.guard import needed_scope
from app.routes.docs import OURS
from tests.app.client import Client

PARTS = {
    "start.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
}


def test_page_asks_for_nothing_but_its_parts(client: Client) -> None:
    text = client.get("/docs").text
    assert set(re.findall(r'(?:src|href)="([^"]+)"', text)) == {
        "static/icon.svg",
        *(f"docs/{name}" for name in PARTS),
    }
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []


@pytest.mark.parametrize("name", PARTS)
def test_part_is_served_to_everybody(client: Client, name: str) -> None:
    response = client.get(f"/docs/{name}")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(PARTS[name])
    assert response.headers["x-content-type-options"] == "nosniff"
    assert needed_scope("GET", f"/docs/{name}") is None


@pytest.mark.parametrize("path", ["/docs", "/docs/start.js"])
def test_no_script_may_come_from_elsewhere_or_stand_in_the_page(client: Client, path: str) -> None:
    policy = client.get(path).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("name", ["index.html", "redoc.standalone.js", "../docs.py", "none.js"])
def test_nothing_else_is_served(client: Client, name: str) -> None:
    assert client.get(f"/docs/{name}").status_code == 404


def test_description_that_it_shows_is_there(client: Client) -> None:
    [url] = re.findall(r"url: '([^']+)'", (OURS / "start.js").read_text(encoding="utf-8"))
    assert client.get(f"/{url}").json()["openapi"].startswith("3.")
