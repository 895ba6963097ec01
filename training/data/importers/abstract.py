"""Abstract paintings (Machajdik and Hanbury, MM 2010): votes in `ABSTRACT_groundTruth.csv`."""

from models.labels import MIKELS
from training.data.importers.listing import ImportOptions, Listing, Record, refuse_labels
from training.data.importers.lookup import ImageIndex, required_file
from training.data.importers.mikels import mikels_label
from training.data.importers.votes import voted_listing, voted_record
from training.data.rows import Row, check_columns, check_distinct, delimited_rows
from training.data.source import Source

GROUND_TRUTH = "ABSTRACT_groundTruth.csv"
_IMAGE = "image"
"""What the column of names is called here; in the file its name is empty."""

_COLUMNS = ("Amusement", "Anger", "Awe", "Content", "Disgust", "Excitement", "Fear", "Sad")


def import_abstract(source: Source, options: ImportOptions) -> Listing:
    """The listing of Abstract: votes as shares of Mikels' eight, the majority as the class."""
    refuse_labels(options, MIKELS.names)
    file = required_file(source, GROUND_TRUTH)
    rows = delimited_rows(source.read(file), file=file, quote="'", unnamed=_IMAGE)
    check_columns(rows, (_IMAGE, *_COLUMNS), file=file)
    check_distinct(rows, lambda row: row.text(_IMAGE))
    images = ImageIndex(source)
    records = tuple(_record(row, images) for row in rows)
    return voted_listing(source, records, MIKELS, options, used=(file,))


def _record(row: Row, images: ImageIndex) -> Record:
    votes = {mikels_label(column) or column: row.count(column) for column in _COLUMNS}
    return voted_record(row, images.path(row, row.text(_IMAGE)), votes, MIKELS)
