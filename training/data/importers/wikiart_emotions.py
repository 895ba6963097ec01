"""WikiArt Emotions (Mohammad and Kiritchenko, LREC 2018): shares of viewers for 20 emotions.

As published, `WikiArt-Emotions-All.tsv` and images by ID; or packed, `labels.csv` and `images/`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from models.labels import LabelKind, LabelSet, Polarity
from training.data.canonical import Split
from training.data.columns import FILE_NAME
from training.data.importers.folds import split_by_fold
from training.data.importers.listing import ImportOptions, Listing, Record, refuse_labels
from training.data.importers.lookup import (
    ImageIndex,
    find_file,
    required_file,
    same,
    unused_files,
    without_suffix,
)
from training.data.rows import Row, check_columns, check_distinct, delimited_rows
from training.data.source import Source

_POLARITY: Mapping[str, Polarity] = {
    "agreeableness": Polarity.NEUTRAL,
    "anger": Polarity.NEGATIVE,
    "anticipation": Polarity.NEUTRAL,
    "arrogance": Polarity.NEGATIVE,
    "disagreeableness": Polarity.NEUTRAL,
    "disgust": Polarity.NEGATIVE,
    "fear": Polarity.NEGATIVE,
    "gratitude": Polarity.POSITIVE,
    "happiness": Polarity.POSITIVE,
    "humility": Polarity.POSITIVE,
    "love": Polarity.POSITIVE,
    "optimism": Polarity.POSITIVE,
    "pessimism": Polarity.NEGATIVE,
    "regret": Polarity.NEGATIVE,
    "sadness": Polarity.NEGATIVE,
    "shame": Polarity.NEGATIVE,
    "shyness": Polarity.NEUTRAL,
    "surprise": Polarity.NEUTRAL,
    "trust": Polarity.POSITIVE,
    "neutral": Polarity.NEUTRAL,
}
WIKIART_EMOTIONS = LabelSet(names=tuple(_POLARITY), polarity=tuple(_POLARITY.values()))
"""The 20 emotions in the order of the columns; "other or mixed" of the authors is neutral here."""


@dataclass(frozen=True, slots=True)
class _Form:
    """How a copy of the set lays its table out."""

    file: str
    delimiter: str
    quote: str | None
    image: str
    prefix: str
    key: Callable[[str], str]
    """What of an image's path the table gives."""

    def rows(self, source: Source, file: str) -> tuple[Row, ...]:
        content = source.read(file)
        rows = delimited_rows(content, file=file, delimiter=self.delimiter, quote=self.quote)
        columns = [self.prefix + name for name in WIKIART_EMOTIONS.names]
        check_columns(rows, (self.image, *columns), file=file)
        check_distinct(rows, lambda row: row.text(self.image))
        return rows

    def record(self, row: Row, images: ImageIndex) -> Record:
        shares = tuple(self._share(row, self.prefix + name) for name in WIKIART_EMOTIONS.names)
        if sum(shares) == 0:
            raise row.bad(given="shares that are all 0", expected="a share above 0")
        return Record(images.path(row, row.text(self.image)), Split.TRAIN, shares=shares)

    @staticmethod
    def _share(row: Row, column: str) -> float:
        share = row.number(column)
        if share > 1:
            raise row.bad(given=f"{row.cells[column]!r} for {column}", expected="a share up to 1")
        return share


PUBLISHED = _Form("WikiArt-Emotions-All.tsv", "\t", None, "ID", "ImageOnly: ", without_suffix)
PACKED = _Form("labels.csv", ",", '"', FILE_NAME, "", same)
FOLD = "fold"


def import_wikiart_emotions(source: Source, options: ImportOptions) -> Listing:
    """The listing of WikiArt Emotions: what the image alone evoked, as shares that overlap."""
    refuse_labels(options, WIKIART_EMOTIONS.names)
    published = find_file(source, PUBLISHED.file)
    form = PACKED if published is None else PUBLISHED
    file = published or required_file(source, PACKED.file, PUBLISHED.file)
    rows = form.rows(source, file)
    images = ImageIndex(source, form.key)
    records = tuple(form.record(row, images) for row in rows)
    pairs = zip(records, rows, strict=True)
    folds = {record.file_name: row.count(FOLD) for record, row in pairs if row.has(FOLD)}
    placed, remarks = split_by_fold(records, folds, options)
    return Listing(
        label_sets={LabelKind.DISTRIBUTION: WIKIART_EMOTIONS},
        records=placed,
        ignored=unused_files(source, records, file),
        remarks=remarks,
    )
