import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from app.routes.page import FILES, MEDIA_TYPES
from tests.app.client import Client

PAGES = {"/": "index.html", "/jobs": "jobs.html", "/models": "models.html"}
PARTS = sorted(
    path.relative_to(FILES).as_posix()
    for path in FILES.rglob("*")
    if path.is_file() and path.suffix != ".html"
)
TEXTS = [name for name in PARTS if not name.endswith(".jpg")] + list(PAGES.values())
NAMESPACE = "http://www.w3.org/2000/svg"
"""A name and no address: nothing is fetched from there."""


def text(name: str) -> str:
    return (FILES / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [*PAGES, *(f"/static/{name}" for name in PARTS)])
def test_pages_and_all_they_need_are_served(client: Client, path: str) -> None:
    response = client.get(path)
    name = PAGES.get(path, path)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(MEDIA_TYPES[Path(name).suffix])
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", PAGES)
def test_page_may_load_nothing_from_elsewhere_and_run_nothing_inline(
    client: Client, path: str
) -> None:
    policy = client.get(path).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize(
    "name", ["page.py", "index.html", "../errors.py", "samples", "%2e%2e/errors.py", "none.js", ""]
)
def test_nothing_else_is_served(client: Client, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


@pytest.mark.parametrize("name", PAGES.values())
def test_page_has_nothing_that_its_policy_forbids(name: str) -> None:
    assert re.findall(r"<script(?![^>]*\bsrc=)", text(name)) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=", text(name)) == []


@pytest.mark.parametrize("name", TEXTS)
def test_no_file_names_another_host(name: str) -> None:
    assert not re.search(r"(https?:)?//[a-z]", text(name).replace(NAMESPACE, ""))


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_never_read_as_markup(name: str) -> None:
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text(name)
    )


@pytest.mark.parametrize("name", PARTS)
def test_every_part_is_used(name: str) -> None:
    others = "".join(text(other) for other in TEXTS if other != name)
    assert Path(name).name in others


@pytest.mark.parametrize("name", [name for name in PARTS if name.endswith(".js")])
def test_every_import_leads_somewhere_and_modules_stay_short(name: str) -> None:
    for target in re.findall(r'from "\./([^"]+)"', text(name)):
        assert target in PARTS
    assert len(text(name).splitlines()) <= 200


@pytest.mark.parametrize("page", PAGES.values())
def test_every_element_that_a_script_gets_is_on_its_page(page: str) -> None:
    [script] = re.findall(r'src="static/(\w+\.js)"', text(page))
    wanted = set(re.findall(r'get\("([\w-]+)"\)', text(script)))
    assert wanted
    assert wanted <= set(re.findall(r'\bid="([\w-]+)"', text(page)))


def test_pages_have_one_navigation() -> None:
    found = {
        re.sub(r' aria-current="page"', "", re.search(r"<nav.*?</nav>", text(name), re.S).group())  # type: ignore[union-attr]
        for name in PAGES.values()
    }
    assert len(found) == 1


def test_samples_are_small_pictures() -> None:
    samples = [FILES / name for name in PARTS if name.startswith("samples/")]
    assert len(samples) == 6
    assert sum(sample.stat().st_size for sample in samples) < 80_000
    for sample in samples:
        assert Image.open(BytesIO(sample.read_bytes())).size == (480, 360)
