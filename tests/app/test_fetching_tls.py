import asyncio
import ssl
from collections.abc import Iterator

import pytest
import trustme

from app.errors import ImageNotFetched
from app.pinned_network import Resolver
from tests.app.internet import PUBLIC, Host, Internet, content, garbled, hosting

PICTURE = b"a picture"


@pytest.fixture
def authority() -> trustme.CA:
    """Whom the client trusts."""
    return trustme.CA()


@pytest.fixture
def host(authority: trustme.CA) -> Iterator[Host]:
    """A host with a certificate for `pictures.test` alone."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("pictures.test").configure_cert(tls)
    with hosting({"/a.png": content(PICTURE)}, tls) as opened:
        yield opened


@pytest.fixture
def internet(host: Host, authority: trustme.CA) -> Internet:
    tls = ssl.create_default_context()
    authority.configure_trust(tls)
    found = Internet.around(host, allowed=("pictures.test", "other.test"), tls=tls)
    found.names.answers["other.test"] = [[PUBLIC]]
    return found


def test_certificate_is_checked_for_the_name_and_not_for_the_address(internet: Internet) -> None:
    assert internet.fetch("https://pictures.test/a.png") == [PICTURE]
    assert internet.routes.connected == [(PUBLIC, 443)]


def test_certificate_of_another_name_is_refused(internet: Internet, host: Host) -> None:
    [found] = internet.fetch("https://other.test/a.png")
    assert isinstance(found, ImageNotFetched)
    assert host.asked == []


def test_certificate_of_an_unknown_authority_is_refused(internet: Internet, host: Host) -> None:
    internet.tls = ssl.create_default_context()
    [found] = internet.fetch("https://pictures.test/a.png")
    assert isinstance(found, ImageNotFetched)
    assert host.asked == []


def test_tls_that_breaks_after_its_handshake_fails_that_image_alone(
    internet: Internet, host: Host
) -> None:
    host.answers["/garbled.png"] = garbled
    urls = ("https://pictures.test/garbled.png", "https://pictures.test/a.png")
    found, kept = internet.fetch(*urls)
    assert isinstance(found, ImageNotFetched)
    assert kept == PICTURE


def test_system_is_asked_for_names() -> None:
    resolver = Resolver(at_once=1)
    found = asyncio.run(resolver("localhost", 80))
    resolver.close()
    assert found
    assert all(address.is_loopback for address in found)


@pytest.mark.parametrize("name", ["none.invalid", "a" * 64 + ".invalid"])
def test_name_that_the_system_does_not_know_is_an_error(name: str) -> None:
    resolver = Resolver(at_once=1)
    with pytest.raises(OSError, match=r"."):
        asyncio.run(resolver(name, 80))
    resolver.close()
