import base64
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.app.client import (
    Client,
    assert_problem,
    occupied,
    publish_tiny,
    serving,
    tiny_settings,
)
from tests.app.pictures import encoded, solid, vast_png

IMAGE = encoded(solid())
LIMIT = 100_000
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A service with small limits, which still answers when the test is over."""
    publish_tiny(tmp_path)
    with serving(tiny_settings(tmp_path, max_body_bytes=LIMIT, max_images=5)) as opened:
        yield opened
        assert opened.send_bytes(IMAGE).status_code == 200


def _part(name: str = "image", content: bytes = IMAGE, *, filename: str = "a.png") -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'
    return head.encode() + content + b"\r\n"


def _form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--b--\r\n"


async def _chunks(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.mark.parametrize("content_type", ["image/png", "application/octet-stream"])
def test_empty_body_is_refused(client: Client, content_type: str) -> None:
    assert_problem(client.post(content=b"", headers={"Content-Type": content_type}), 400)


def test_text_named_jpg_is_not_an_image(client: Client) -> None:
    response = client.post(files=[("image", ("a.jpg", b"just text", "image/jpeg"))])
    assert_problem(response, 415)


def test_vast_image_is_refused_quickly(client: Client) -> None:
    content = vast_png()
    began = time.perf_counter()
    assert_problem(client.send_bytes(content), 413)
    assert time.perf_counter() - began < 2


def test_body_over_the_limit_is_refused_by_its_declared_size(client: Client) -> None:
    problem = assert_problem(client.send_bytes(bytes(LIMIT + 1)), 413)
    assert f"{LIMIT + 1} bytes" in problem["detail"]


@pytest.mark.parametrize("content_type", ["image/png", "application/json", FORM["Content-Type"]])
def test_body_in_chunks_over_the_limit_is_not_read_to_its_end(
    client: Client, content_type: str
) -> None:
    sent: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        yield _part(content=b"")[:-2]
        for _ in range(10_000):
            sent.append(1)
            yield bytes(1000)

    response = client.post(content=endless(), headers={"Content-Type": content_type})
    assert_problem(response, 413)
    assert len(sent) <= LIMIT / 1000 + 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "images/png"},
        {"Content-Type": ""},
        {},
    ],
    ids=str,
)
def test_other_content_types_are_refused_with_the_three_forms(
    client: Client, headers: dict[str, str]
) -> None:
    problem = assert_problem(client.post(content=IMAGE, headers=headers), 415)
    assert "multipart/form-data" in problem["detail"]
    assert "application/json" in problem["detail"]


def test_compressed_body_is_refused(client: Client) -> None:
    headers = {"Content-Type": "image/png", "Content-Encoding": "gzip"}
    assert_problem(client.post(content=IMAGE, headers=headers), 415)


def test_client_that_stops_sending_is_not_waited_for(tmp_path: Path) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"begin"
        await anyio.sleep(5)

    publish_tiny(tmp_path)
    with serving(tiny_settings(tmp_path, read_timeout_s=0.05)) as client:
        response = client.post(content=stuck(), headers={"Content-Type": "image/png"})
        assert_problem(response, 408)


def test_body_that_is_there_is_not_late_though_its_parsing_has_to_wait(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    body = {"images": [{"base64": base64.b64encode(IMAGE).decode()}]}
    with serving(tiny_settings(tmp_path, read_timeout_s=0.2)) as client, occupied(client, 1):
        assert client.post(json=body).status_code == 200


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_form_may_arrive_in_any_chunks(client: Client, size: int) -> None:
    body = _form(_part(), _part())
    response = client.post(content=_chunks(body, size), headers=FORM)
    assert [found["single"]["label"] for found in response.json()["predictions"]] == ["red"] * 2


def test_form_with_too_many_images_is_refused(client: Client) -> None:
    problem = assert_problem(client.send_files(*[IMAGE] * 6), 413)
    assert "more than 5" in problem["detail"]


def test_ten_thousand_parts_are_refused_quickly(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    with serving(tiny_settings(tmp_path)) as client:
        body = _form(*[_part(content=b"x")] * 10_000)
        began = time.perf_counter()
        assert_problem(client.post(content=body, headers=FORM), 413)
        assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (_form(_part(name="file")), "named 'file'"),
        (_form(_part(name="x" * 2000)), "named 'x"),
        (_form(b"--b\r\n\r\nno header\r\n"), "named ''"),
        (_form(b"--b\r\nX-Padding: " + b"x" * 20_000 + b"\r\n\r\n\r\n"), "header"),
        (_form(*[b"--b\r\n" + b"X-Padding: y\r\n" * 2000 + b"\r\n\r\n"]), "header"),
        (_part(), "closing boundary"),
        (b"nothing like a form", "not well-formed"),
        (b"", "closing boundary"),
        (b"--b--\r\n", "no part"),
        (_form(_part(content=b"")), "no bytes"),
    ],
)
def test_form_that_is_not_well_formed_is_refused(client: Client, body: bytes, said: str) -> None:
    problem = assert_problem(client.post(content=body, headers=FORM), 400)
    assert said in problem["detail"]
    assert len(problem["detail"]) < 300


@pytest.mark.parametrize("parameters", ["", "; boundary=", "; boundary=" + "b" * 300])
def test_form_needs_a_boundary(client: Client, parameters: str) -> None:
    headers = {"Content-Type": "multipart/form-data" + parameters}
    problem = assert_problem(client.post(content=_form(_part()), headers=headers), 400)
    assert "boundary" in problem["detail"]


@pytest.mark.parametrize(
    ("given", "echoed"),
    [
        ("a.png", "a.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\\\Users\\\\me\\\\b.png", "b.png"),
        ("Füße.png", "Füße.png"),
        ("a\tb\x7f.png", "ab.png"),
        ("x" * 500, "x" * 128),
        ("/", None),
        ("", None),
    ],
)
def test_name_of_a_file_is_echoed_without_its_folder(
    client: Client, given: str, echoed: str | None
) -> None:
    response = client.post(content=_form(_part(filename=given)), headers=FORM)
    assert response.json()["predictions"][0]["image"]["filename"] == echoed


def test_part_without_a_filename_is_an_image_too(client: Client) -> None:
    body = _form(b'--b\r\nContent-Disposition: form-data; name="image"\r\n\r\n' + IMAGE + b"\r\n")
    found = client.post(content=body, headers=FORM).json()["predictions"][0]
    assert found["image"]["filename"] is None


def test_json_may_have_several_images_and_lines_in_base64(client: Client) -> None:
    images = [{"base64": base64.encodebytes(IMAGE).decode()} for _ in range(3)]
    assert len(client.post(json={"images": images}).json()["predictions"]) == 3


def test_json_with_too_many_images_is_refused(client: Client) -> None:
    body = {"images": [{"base64": "QUJD"}] * 6}
    assert "6 images" in assert_problem(client.post(json=body), 413)["detail"]


@pytest.mark.parametrize("entry", [b"[]", b"{}", b"1", b'""', b"[[[[[]]]]]"])
def test_json_with_a_flood_of_entries_is_refused_before_it_is_parsed(
    client: Client, entry: bytes
) -> None:
    body = b'{"images":[' + b",".join([entry] * 5000) + b"]}"
    assert_problem(client.post(content=body, headers=JSON), 413)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "empty"),
        ("{", "JSON"),
        ("\udcff", "JSON"),
        ("[]", "object"),
        ("{}", "images"),
        ('{"images": []}', "at least 1"),
        ('{"images": "QUJD"}', "array"),
        ('{"images": ["QUJD"]}', "images.0"),
        ('{"images": [{}]}', "images.0"),
        ('{"images": [{"base64": "QUJD", "url": "http://a"}]}', "either"),
        ('{"images": [{"data": "QUJD"}]}', "images.0.data"),
        ('{"images": [{"base64": 1}]}', "images.0.base64"),
        ('{"images": [{"base64": NaN}]}', "images.0.base64"),
    ],
)
def test_json_that_is_not_as_documented_is_refused(client: Client, body: str, said: str) -> None:
    content = body.encode(errors="surrogateescape")
    problem = assert_problem(client.post(content=content, headers=JSON), 400)
    assert said in problem["detail"]


@pytest.mark.parametrize("text", ["!!!!", "QUJ", "data:image/png;base64,QUJD", "äöü", ""])
def test_bad_base64_is_named(client: Client, text: str) -> None:
    problem = assert_problem(client.post(json={"images": [{"base64": text}]}), 400)
    assert "images[0].base64" in problem["detail"]


def test_bad_entry_among_good_ones_has_its_error_in_its_place(client: Client) -> None:
    good = {"base64": base64.b64encode(IMAGE).decode()}
    body: dict[str, Any] = {"images": [good, {"base64": "!"}, {"url": "https://a/b.jpg"}]}
    found = client.post(content=json.dumps(body), headers=JSON).json()["predictions"]
    assert found[0]["single"]["label"] == "red"
    assert [each["error"]["status"] for each in found[1:]] == [400, 403]


def test_addresses_are_refused(client: Client) -> None:
    body = {"images": [{"url": "https://example.org/a.jpg"}]}
    assert_problem(client.post(json=body), 403)
