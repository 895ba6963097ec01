import gzip
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler
from itertools import repeat, takewhile

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.download import Downloader
from app.errors import (
    BodyTooLarge,
    DeadlinePassed,
    ImageNotFetched,
    MalformedRequest,
    QueueFull,
    RequestError,
    UrlRefused,
)
from app.links import Content
from app.url_rules import rules
from tests.app.internet import (
    LIMITS,
    PUBLIC,
    Answer,
    Host,
    Internet,
    content,
    hosting,
    redirect,
    unending,
)

PICTURE = b"a picture, as far as fetching goes"
URL = "http://pictures.test/a.png"


@pytest.fixture
def host() -> Iterator[Host]:
    with hosting({"/a.png": content(PICTURE)}) as opened:
        yield opened


@pytest.fixture
def internet(host: Host) -> Internet:
    return Internet.around(host)


def refusal(found: Content, kind: type[RequestError]) -> str:
    """Why there is no content; what the host said is not told."""
    assert type(found) is kind, found
    assert "secret" not in found.detail
    return found.detail


def raw(text: bytes) -> Answer:
    """An answer that is `text` and nothing else."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(text)

    return send


def dripping() -> Iterator[bytes]:
    while True:
        yield b"."
        time.sleep(0.02)


def test_image_is_fetched(internet: Internet, host: Host) -> None:
    assert internet.fetch(URL) == [PICTURE]
    [(path, headers)] = host.asked
    assert path == "/a.png"
    assert headers["Host"] == "pictures.test"
    assert headers["Accept-Encoding"] == "identity"
    assert len(internet.seconds) == 1


def test_images_come_in_their_order_and_errors_in_their_places(internet: Internet) -> None:
    found = internet.fetch(URL, "http://pictures.test/none.png", URL)
    assert (found[0], found[2]) == (PICTURE, PICTURE)
    assert refusal(found[1], ImageNotFetched) == "images[1].url: the host answers with status 404"


@pytest.mark.parametrize(
    "url",
    [
        "https://pictures.test/a.png",
        "http://pictures.test:8080/a.png",
        "http://other.test/a.png",
        "http://a.pictures.test/a.png",
        "http://93.184.215.14/a.png",
        "http://pictures.test./a.png",
        "http://pictures.test@other.test/a.png",
        "http://user:secret@pictures.test/a.png",
        "http://other.test\\@pictures.test/a.png",
        "ftp://pictures.test/a.png",
    ],
)
def test_address_that_no_entry_allows_is_never_asked(
    internet: Internet, host: Host, url: str
) -> None:
    [found] = internet.fetch(url)
    refusal(found, UrlRefused)
    assert (internet.names.asked, host.asked) == ([], [])


@pytest.mark.parametrize("url", ["", "a.png", "/a.png", "//pictures.test/a.png", "http://[::1/a"])
def test_text_that_is_no_address_is_named(internet: Internet, url: str) -> None:
    [found] = internet.fetch(url)
    assert refusal(found, MalformedRequest).startswith("images[0].url: it is no ")


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"],
)
def test_allowed_name_that_leads_to_a_private_address_is_refused(
    internet: Internet, host: Host, address: str
) -> None:
    internet.names.answers["pictures.test"] = [[address]]
    internet.routes.ports[address] = host.port
    [found] = internet.fetch(URL)
    assert address not in refusal(found, UrlRefused)
    assert (internet.routes.connected, host.asked) == ([], [])


def test_one_private_address_among_public_ones_is_enough_to_refuse(internet: Internet) -> None:
    internet.names.answers["pictures.test"] = [[PUBLIC, "10.0.0.1"]]
    refusal(internet.fetch(URL)[0], UrlRefused)
    assert internet.routes.connected == []


def test_address_that_was_checked_is_the_one_connected_to(internet: Internet, host: Host) -> None:
    internet.names.answers["pictures.test"] = [[PUBLIC], ["127.0.0.1"]]
    internet.routes.ports["127.0.0.1"] = host.port
    assert internet.fetch(URL) == [PICTURE]
    assert internet.names.asked == ["pictures.test"]
    assert internet.routes.connected == [(PUBLIC, 80)]


def test_name_that_leads_elsewhere_the_second_time_is_checked_anew(
    internet: Internet, host: Host
) -> None:
    internet.names.answers["pictures.test"] = [[PUBLIC], ["127.0.0.1"]]
    internet.routes.ports["127.0.0.1"] = host.port
    host.answers["/again"] = redirect("/a.png")
    refusal(internet.fetch("http://pictures.test/again")[0], UrlRefused)
    assert host.paths == ["/again"]


def test_next_address_is_tried_where_the_first_is_dead(internet: Internet) -> None:
    internet.names.answers["pictures.test"] = [["93.184.215.15", PUBLIC]]
    assert internet.fetch(URL) == [PICTURE]
    assert [address for address, _ in internet.routes.connected] == ["93.184.215.15", PUBLIC]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_within_what_is_allowed_is_followed(
    internet: Internet, host: Host, status: int
) -> None:
    host.answers["/old.png"] = redirect("a.png", status)
    assert internet.fetch("http://pictures.test/old.png") == [PICTURE]


@pytest.mark.parametrize(
    "location",
    [
        "http://secret.test/",
        "http://127.0.0.1/a.png",
        "http://169.254.169.254/latest/meta-data/",
        "https://pictures.test/a.png",
        "http://u:p@pictures.test/a.png",
        "file:///etc/passwd",
        "http://[",
    ],
)
def test_redirect_to_what_is_not_allowed_is_refused_without_naming_it(
    internet: Internet, host: Host, location: str
) -> None:
    host.answers["/old.png"] = redirect(location)
    detail = refusal(internet.fetch("http://pictures.test/old.png")[0], UrlRefused)
    assert detail == "images[0].url: the host redirects to an address that is not allowed"
    assert host.paths == ["/old.png"]


def test_allowed_name_is_checked_by_address_after_a_redirect_too(
    internet: Internet, host: Host
) -> None:
    internet.allowed = ("http://pictures.test", "http://inner.test")
    internet.names.answers["inner.test"] = [["10.0.0.7"]]
    host.answers["/old.png"] = redirect("http://inner.test/a.png")
    refusal(internet.fetch("http://pictures.test/old.png")[0], UrlRefused)
    assert [address for address, _ in internet.routes.connected] == [PUBLIC]


@pytest.mark.parametrize(
    ("begin", "kind"), [("http://pictures.test", UrlRefused), ("http://own.test", bytes)]
)
def test_public_host_cannot_redirect_to_a_private_one_but_another_private_one_can(
    internet: Internet, host: Host, begin: str, kind: type
) -> None:
    internet.private = ("http://inner.test", "http://own.test")
    internet.names.answers |= {"inner.test": [["127.0.0.1"]], "own.test": [["127.0.0.1"]]}
    internet.routes.ports["127.0.0.1"] = host.port
    host.answers["/in"] = redirect("http://inner.test/a.png")
    [found] = internet.fetch(f"{begin}/in")
    assert type(found) is kind


@given(text=st.text() | st.text().map("http://pictures.test/{}".format))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    known = rules(["http://pictures.test"], [])
    pool = httpcore.AsyncConnectionPool()
    downloader = Downloader(known, pool, pool)
    try:
        target = downloader.target(text)
    except RequestError:
        return
    assert target.url.host == "pictures.test"
    with suppress(RequestError):
        assert downloader._redirected(target, text).url.host == "pictures.test"


def test_redirects_without_end_are_given_up(internet: Internet, host: Host) -> None:
    host.answers["/loop"] = redirect("/loop")
    [found] = internet.fetch("http://pictures.test/loop")
    assert "redirects more than 3 times" in refusal(found, ImageNotFetched)
    assert len(host.asked) == 4


def test_private_address_is_reached_where_the_operator_allows_it(
    internet: Internet, host: Host
) -> None:
    internet.private = ("http://inner.test",)
    internet.names.answers["inner.test"] = [["127.0.0.1"]]
    internet.routes.ports["127.0.0.1"] = host.port
    assert internet.fetch("http://inner.test/a.png") == [PICTURE]
    internet.names.answers["inner.test"] = [["169.254.169.254"]]
    refusal(internet.fetch("http://inner.test/a.png")[0], UrlRefused)


def test_size_is_refused_by_what_is_declared_and_by_what_comes(
    internet: Internet, host: Host
) -> None:
    host.answers["/declared"] = content(b"x", content_length="100001")
    host.answers["/endless"] = unending(partial(repeat, b"x" * 10_000))
    for path in ("declared", "endless"):
        [found] = internet.fetch(f"http://pictures.test/{path}")
        assert "more than 100000 bytes" in refusal(found, BodyTooLarge)


def test_images_of_one_request_share_its_bytes(internet: Internet, host: Host) -> None:
    host.answers["/big"] = content(bytes(60_000))
    found = internet.fetch("http://pictures.test/big", "http://pictures.test/big")
    assert {type(each) for each in found} == {bytes, BodyTooLarge}


def test_image_that_is_too_large_takes_nothing_from_the_others(
    internet: Internet, host: Host
) -> None:
    internet.limits = replace(LIMITS, at_once=2)
    host.answers["/endless"] = unending(partial(repeat, b"x" * 10_000))
    host.answers["/big"] = content(bytes(90_000))
    found = internet.fetch("http://pictures.test/endless", "http://pictures.test/big")
    refusal(found[0], BodyTooLarge)
    assert isinstance(found[1], bytes)


def test_compressed_answer_is_refused_before_it_is_unpacked(internet: Internet, host: Host) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    host.answers["/bomb"] = content(bomb, content_encoding="gzip")
    assert "compressed" in refusal(internet.fetch("http://pictures.test/bomb")[0], ImageNotFetched)


def test_host_that_drips_is_given_up_in_time(internet: Internet, host: Host) -> None:
    internet.limits = replace(LIMITS, timeout_s=1.5)
    host.answers["/drip"] = unending(dripping)
    began = time.perf_counter()
    found = internet.fetch("http://pictures.test/drip", URL)
    assert time.perf_counter() - began < 15
    assert "within 1.5 s" in refusal(found[0], ImageNotFetched)
    assert found[1] == PICTURE


def test_slow_host_holds_up_nobody_else(internet: Internet, host: Host) -> None:
    def until_the_others_are_there() -> Iterator[bytes]:
        return takewhile(lambda _: len(internet.seconds) < 3, dripping())

    internet.limits = replace(LIMITS, timeout_s=10.0, at_once=2, waiting=4)
    internet.allowed = ("http://pictures.test", "http://slow.test")
    internet.names.answers["slow.test"] = [[PUBLIC]]
    host.answers["/drip"] = unending(until_the_others_are_there)
    slow = ["http://slow.test/drip"] * 2
    *stuck, quick = internet.fetch_at_once(slow, slow, slow, slow, [URL] * 3)
    assert quick == [PICTURE] * 3
    assert all(isinstance(each, bytes) for found in stuck for each in found)  # none was given up


def test_deadline_of_the_request_ends_its_fetching(internet: Internet, host: Host) -> None:
    host.answers["/drip"] = unending(dripping)
    with pytest.raises(DeadlinePassed, match=r"0\.3 s"):
        internet.fetch("http://pictures.test/drip", deadline_s=0.3)


def test_images_beyond_the_waiting_room_are_told_when_to_come_again(
    internet: Internet, host: Host
) -> None:
    internet.limits = replace(LIMITS, at_once=1, waiting=2)
    found = [each for [each] in internet.fetch_at_once([URL], [URL], [URL])]
    assert found[:2] == [PICTURE, PICTURE]
    refusal(found[2], QueueFull)
    assert isinstance(found[2], QueueFull)
    assert int(found[2].headers["Retry-After"]) >= 1


@pytest.mark.parametrize("name", ["unknown.test", "a" * 64 + ".test"])
def test_name_without_an_address_is_told(internet: Internet, name: str) -> None:
    internet.allowed = (f"http://{name}",)
    [found] = internet.fetch(f"http://{name}/a.png")
    assert "cannot be reached" in refusal(found, ImageNotFetched)


@pytest.mark.parametrize("status", [204, 206, 400, 401, 403, 404, 500])
def test_answer_without_an_image_is_told_by_its_status(
    internet: Internet, host: Host, status: int
) -> None:
    host.answers["/x"] = content(b"secret", status=status, x_secret="secret")
    assert str(status) in refusal(internet.fetch("http://pictures.test/x")[0], ImageNotFetched)


def test_answer_that_is_not_http_is_told(internet: Internet, host: Host) -> None:
    host.answers["/x"] = raw(b"secret\r\n\r\n")
    refusal(internet.fetch("http://pictures.test/x")[0], ImageNotFetched)


def test_answer_that_breaks_off_is_told(internet: Internet, host: Host) -> None:
    host.answers["/x"] = content(b"half", content_length="8", connection="close")
    refusal(internet.fetch("http://pictures.test/x")[0], ImageNotFetched)
