"""Finds the files of a layout: label files by their base name, images by what a row calls them."""

from collections.abc import Callable, Iterable

from training.data.importers.listing import BadLayout, Record, is_image
from training.data.rows import Row
from training.data.source import Source, is_safe

SHOWN = 3
"""How many files an error about too many of them names."""


def find_file(source: Source, *base_names: str) -> str | None:
    """The one file with one of these base names, in whatever folder; none: there is none."""
    found = [name for name in source.names() if name.rpartition("/")[2] in base_names]
    if len(found) > 1:
        raise BadLayout(f"{source.description} has {', '.join(found[:SHOWN])}; keep one of them")
    return found[0] if found else None


def required_file(source: Source, *base_names: str) -> str:
    """The one file with one of these base names."""
    found = find_file(source, *base_names)
    if found is None:
        raise BadLayout(f"{source.description} has no {' or '.join(base_names)}; expected one")
    return found


def unused_files(source: Source, records: Iterable[Record], *used: str) -> tuple[str, ...]:
    """The files of the source that are neither an image of the records nor `used` besides."""
    known = {record.file_name for record in records} | set(used)
    return tuple(name for name in source.names() if name not in known)


def same(name: str) -> str:
    """The name as it is."""
    return name


def without_suffix(name: str) -> str:
    """The name up to its last dot."""
    return name.rpartition(".")[0]


class ImageIndex:
    """The images of a source by the end of their path, as `key` makes it comparable."""

    def __init__(self, source: Source, key: Callable[[str], str] = same) -> None:
        self._keys = {path: key(path) for path in source.names() if is_image(path)}
        self._by_end: dict[int, dict[str, list[str]]] = {}

    def find(self, row: Row, name: str) -> str | None:
        """The image whose key is `name`, else the one whose key ends with it; none: no such."""
        if not is_safe(name):
            expected = "a relative path with forward slashes and no '..'"
            raise row.bad(given=f"image {name!r}", expected=expected)
        candidates = self._ending_like(name)
        exact = [path for path in candidates if self._keys[path] == name]
        found = exact or [path for path in candidates if self._keys[path].endswith(f"/{name}")]
        if len(found) > 1:
            shown = ", ".join(found[:SHOWN])
            raise row.bad(given=f"image {name!r}, which may be {shown}", expected="one such file")
        return found[0] if found else None

    def path(self, row: Row, name: str) -> str:
        """The image that `find` finds, else `name` itself, for the import to report as missing."""
        return self.find(row, name) or name

    def _ending_like(self, name: str) -> list[str]:
        """The images that share the last folder and the base name; millions are looked up fast."""
        parts = min(name.count("/") + 1, 2)
        if parts not in self._by_end:
            ends = self._by_end.setdefault(parts, {})
            for path, key in self._keys.items():
                ends.setdefault(_end(key, parts), []).append(path)
        return self._by_end[parts].get(_end(name, parts), [])


def _end(name: str, parts: int) -> str:
    return "/".join(name.rsplit("/", parts)[-parts:])
