"""ArtPhoto (Machajdik and Hanbury, MM 2010): a flat folder of `<class>_<id>.jpg`."""

from pathlib import PurePosixPath

from models.labels import MIKELS, LabelKind
from training.data.canonical import Split
from training.data.importers.draw import draw_remarks, with_test_and_val
from training.data.importers.listing import (
    BadLayout,
    ImportOptions,
    Listing,
    Record,
    is_image,
    refuse_labels,
)
from training.data.importers.lookup import unused_files
from training.data.importers.mikels import mikels_label
from training.data.source import Source


def import_artphoto(source: Source, options: ImportOptions) -> Listing:
    """The listing of ArtPhoto, whose files are named after their class."""
    refuse_labels(options, MIKELS.names)
    records = tuple(_record(name) for name in source.names() if is_image(name))
    drawn = with_test_and_val(records, options)
    return Listing(
        label_sets={LabelKind.SINGLE: MIKELS},
        records=drawn,
        ignored=unused_files(source, records),
        remarks=tuple(draw_remarks(records, drawn)),
    )


def _record(name: str) -> Record:
    label = mikels_label(PurePosixPath(name).name.partition("_")[0])
    if label is None:
        raise BadLayout(
            f"unexpected image {name!r}; expected <class>_<id>.jpg with a class of "
            f"{', '.join(MIKELS.names)}"
        )
    return Record(name, Split.TRAIN, label=label)
