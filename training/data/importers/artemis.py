"""ArtEmis (Achlioptas et al., CVPR 2021) on WikiArt: what people felt at a painting, and why."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from models.labels import LabelSet, Polarity
from training.data.importers.listing import ImportOptions, Listing, Record, refuse_labels
from training.data.importers.lookup import ImageIndex, required_file, same, without_suffix
from training.data.importers.votes import voted_listing, voted_record
from training.data.rows import Row, check_columns, delimited_rows
from training.data.source import Source

TABLE = "artemis_dataset_release_v0.csv"
STYLE, PAINTING, EMOTION, UTTERANCE = "art_style", "painting", "emotion", "utterance"

ARTEMIS = LabelSet(
    names=(
        "amusement",
        "awe",
        "contentment",
        "excitement",
        "anger",
        "disgust",
        "fear",
        "sadness",
        "something else",
    ),
    polarity=(*[Polarity.POSITIVE] * 4, *[Polarity.NEGATIVE] * 4, Polarity.NEUTRAL),
)
"""The nine buttons of ArtEmis, in the order of its authors' code."""


def import_artemis(source: Source, options: ImportOptions) -> Listing:
    """The listing of ArtEmis: utterances as captions, votes as shares, the majority as class."""
    refuse_labels(options, ARTEMIS.names)
    file = required_file(source, TABLE)
    rows = delimited_rows(source.read(file), file=file)
    check_columns(rows, (STYLE, PAINTING, EMOTION, UTTERANCE), file=file)
    by_painting: dict[str, list[Row]] = {}
    for row in rows:
        by_painting.setdefault(f"{row.text(STYLE)}/{row.text(PAINTING)}", []).append(row)
    paintings = _Paintings(source)
    records = tuple(_record(name, of_one, paintings) for name, of_one in by_painting.items())
    return voted_listing(source, records, ARTEMIS, options, used=(file,))


def _record(name: str, rows: Sequence[Row], paintings: "_Paintings") -> Record:
    votes = Counter(dict.fromkeys(ARTEMIS.names, 0))
    for row in rows:
        votes[_emotion(row)] += 1
    captions = tuple(row.text(UTTERANCE) for row in rows)
    path = paintings.path(rows[0], name)
    return replace(voted_record(rows[0], path, votes, ARTEMIS), captions=captions)


def _emotion(row: Row) -> str:
    emotion = row.text(EMOTION)
    if emotion not in ARTEMIS.names:
        raise row.bad(given=f"emotion {emotion!r}", expected=f"one of {', '.join(ARTEMIS.names)}")
    return emotion


class _Paintings:
    """Finds paintings whose accents table and files spell differently."""

    def __init__(self, source: Source) -> None:
        self._indexes = tuple((key, _index(source, key)) for key in _SPELLINGS)

    def path(self, row: Row, name: str) -> str:
        """The image of a painting by the closest spelling that finds one, else a missing one."""
        found = (index.find(row, key(name)) for key, index in self._indexes)
        return next((path for path in found if path), f"wikiart/{name}.jpg")


def without_accents(name: str) -> str:
    """The name with its letters taken apart and the accents dropped, in lower case."""
    parts = unicodedata.normalize("NFKD", name)
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold()


def ascii_alone(name: str) -> str:
    """The name without letters that an archive may have garbled; as it is where none remain."""
    kept = unicodedata.normalize("NFC", name).encode("ascii", "ignore").decode().casefold()
    return kept if kept.rpartition("/")[2] else name


_SPELLINGS: tuple[Callable[[str], str], ...] = (same, without_accents, ascii_alone)
"""From the strictest to the most tolerant comparison."""


def _index(source: Source, key: Callable[[str], str]) -> ImageIndex:
    return ImageIndex(source, lambda path: key(without_suffix(path)))
