"""Hosts that images may be fetched from, as the operator lists them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PORTS = {"https": 443, "http": 80}
_ENTRY = re.compile(
    r"((?P<scheme>https?)://)?"
    r"(?P<any>\*\.)?(?P<host>[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])"
    r"(:(?P<port>[1-9][0-9]{0,4}))?"
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an address leads, its host in lower case and without brackets."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class UrlRule:
    """One entry of the operator's lists."""

    entry: str
    origin: Origin
    below: bool
    """Every name below the host is meant, and not the host itself."""

    private: bool
    """Its addresses may be those of a private network."""

    def fits(self, origin: Origin) -> bool:
        """Whether images may be fetched from `origin`."""
        mine = self.origin
        if (origin.scheme, origin.port) != (mine.scheme, mine.port):
            return False
        return origin.host.endswith(f".{mine.host}") if self.below else origin.host == mine.host


def origin_of(scheme: str, host: str, port: int | None) -> Origin | None:
    """The origin of an address; None for schemes without images."""
    if scheme not in _PORTS:
        return None
    return Origin(scheme, host.lower(), _PORTS[scheme] if port is None else port)


def rule(entry: str, *, private: bool) -> UrlRule:
    """The rule of `[scheme://]host[:port]`, https unless it says http; raises ValueError."""
    found = _ENTRY.fullmatch(entry.strip().lower())
    if found is None or int(found["port"] or 1) > 65535:
        raise ValueError(
            f"{entry!r} is not a host to fetch images from; expected example.org, *.example.org "
            "(every name below it), https://example.org:8443 or http://example.org; names of other "
            "scripts as xn--..."
        )
    below, host = found["any"] is not None, found["host"].strip("[]")
    if below and "." not in host:
        raise ValueError(f"{entry!r} allows too much; name a domain, such as *.example.org")
    port = int(found["port"]) if found["port"] else None
    origin = origin_of(found["scheme"] or "https", host, port)
    assert origin is not None
    return UrlRule(entry, origin, below, private)


def rules(public: Sequence[str], private: Sequence[str]) -> tuple[UrlRule, ...]:
    """The rules of both lists, those that may be private first; raises ValueError."""
    return (
        *(rule(entry, private=True) for entry in private),
        *(rule(entry, private=False) for entry in public),
    )


def rule_of(origin: Origin, known: Sequence[UrlRule]) -> UrlRule | None:
    """The first rule that allows `origin`."""
    return next((each for each in known if each.fits(origin)), None)
