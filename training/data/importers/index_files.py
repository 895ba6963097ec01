"""Index files: one a split, a row an image, as scene sets and EmoSet have them."""

from collections.abc import Callable, Mapping

from models.labels import LabelKind, LabelSet
from training.data.canonical import Split
from training.data.importers.draw import draw_remarks, with_val
from training.data.importers.listing import ImportOptions, Listing, Record
from training.data.importers.lookup import ImageIndex, unused_files
from training.data.rows import Row
from training.data.source import Source

IMAGE, LABEL = "image", "label"
"""What the columns of an index are called here; the files have no header."""

INDEX = (IMAGE, LABEL)


def index_listing(
    source: Source,
    indexes: Mapping[Split, tuple[Row, ...]],
    labels: LabelSet,
    options: ImportOptions,
    *,
    label: Callable[[Row], str],
    used: tuple[str, ...],
) -> Listing:
    """The listing of the images in the `indexes`; `label` tells the class that a row gives."""
    images = ImageIndex(source)
    records = tuple(
        Record(images.path(row, row.text(IMAGE).lstrip("/")), split, label=label(row))
        for split, rows in indexes.items()
        for row in rows
    )
    with_splits = with_val(records, options)
    return Listing(
        label_sets={LabelKind.SINGLE: labels},
        records=with_splits,
        ignored=unused_files(source, records, *used),
        remarks=tuple(draw_remarks(records, with_splits)),
    )
