import pytest

from app.url_rules import Origin, origin_of, rule, rule_of, rules


def origin(text: str) -> Origin:
    scheme, _, rest = text.partition("://")
    host, _, port = rest.partition(":")
    found = origin_of(scheme, host, int(port) if port else None)
    assert found
    return found


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("example.org", "https://example.org"),
        ("Example.ORG", "https://EXAMPLE.org:443"),
        ("https://example.org:8443", "https://example.org:8443"),
        ("example.org:8443", "https://example.org:8443"),
        ("http://example.org", "http://example.org:80"),
        ("*.example.org", "https://a.example.org"),
        ("*.example.org", "https://b.a.example.org"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("photos", "https://photos"),
    ],
)
def test_origin_that_an_entry_means_is_allowed(entry: str, url: str) -> None:
    assert rule(entry, private=False).fits(origin(url))


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("example.org", "http://example.org"),
        ("example.org", "https://example.org:8443"),
        ("example.org", "https://a.example.org"),
        ("example.org", "https://example.org.evil.net"),
        ("example.org", "https://badexample.org"),
        ("example.org", "https://example.org."),
        ("*.example.org", "https://example.org"),
        ("*.example.org", "https://badexample.org"),
        ("http://example.org", "https://example.org"),
        ("http://example.org", "http://example.org:8080"),
    ],
)
def test_every_other_origin_is_not(entry: str, url: str) -> None:
    assert not rule(entry, private=False).fits(origin(url))


@pytest.mark.parametrize(
    "entry",
    [
        "*",
        "*.org",
        "https://",
        "ftp://a.org",
        "a.org/path",
        "u@a.org",
        "a.*.org",
        "*a.org",
        "a..org",
        "a.org:0",
        "a.org:99999",
        "bücher.example",
        "https://*",
        ".org",
    ],
)
def test_entry_that_is_no_host_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match=r"allows too much|is not a host"):
        rule(entry, private=False)


def test_literal_of_version_six_is_a_host() -> None:
    found = rule("http://[::1]:9000", private=True)
    assert found.fits(Origin("http", "::1", 9000))


def test_schemes_without_images_have_no_origin() -> None:
    assert origin_of("file", "example.org", None) is None


def test_rule_that_says_more_comes_first() -> None:
    known = rules(["*.example.org"], ["a.example.org"])
    found = rule_of(origin("https://a.example.org"), known)
    assert found
    assert found.private
    assert rule_of(origin("https://other.net"), known) is None
