"""Asking for data sets: list and show."""

from collections.abc import Mapping

from sentiscope.service.talk import Listing, Talk, get, path_to, told
from sentiscope.service.value import Value


class Labels(Value):
    """The labels of one kind, in order."""

    names: tuple[str, ...]
    polarity: tuple[str, ...] | None = None


class Dataset(Value):
    """A data set; of one that is being imported, its name and job alone."""

    name: str
    title: str | None = None
    format: str | None = None
    digest: str | None = None
    label_sets: Mapping[str, Labels] = {}
    counts: Mapping[str, int] = {}
    terms: str | None = None
    findings: tuple[str, ...] = ()
    importing: str | None = None
    """Id of the job that imports it right now."""

    fault: str = ""
    """Why its card cannot be read; empty where it can."""


def listed() -> Listing[Dataset]:
    """Data sets by name."""
    return Listing(get("/v1/datasets"), Dataset)


def shown(name: str) -> Talk[Dataset]:
    """One of them."""
    return (yield from told(get(path_to("datasets", name)), Dataset))
