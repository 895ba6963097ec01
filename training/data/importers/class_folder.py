"""Class folders: `<split>/<class>/<image>`, or `<class>/<image>` with the splits drawn."""

from collections.abc import Iterable, Mapping
from itertools import groupby

from models.labels import LabelKind
from training.data.canonical import Split
from training.data.importers.draw import draw_remarks, with_test_and_val, with_val
from training.data.importers.listing import (
    BadLayout,
    ImportOptions,
    Listing,
    Record,
    is_image,
    label_set,
)
from training.data.source import SPLIT_NAMES, Source

SPLIT_FOLDERS: Mapping[str, Split] = {
    name: Split(split) for split, names in SPLIT_NAMES.items() for name in names
}

_AS_THEY_ARE: Mapping[str, str] = {}


def import_class_folder(
    source: Source, options: ImportOptions, *, labels_by_folder: Mapping[str, str] = _AS_THEY_ARE
) -> Listing:
    """The listing of a data set whose folders are, or stand for, its labels."""
    images = tuple(name for name in source.names() if is_image(name))
    if not images:
        raise BadLayout(f"{source.description} has no image; expected <split>/<class>/<image>")
    has_splits = any(name.partition("/")[0].lower() in SPLIT_FOLDERS for name in images)
    records = tuple(
        (_split_record if has_splits else _plain_record)(name, labels_by_folder) for name in images
    )
    names = _class_order(records, options)
    splits_drawn = with_val(records, options) if has_splits else with_test_and_val(records, options)
    return Listing(
        label_sets={LabelKind.SINGLE: label_set(names)},
        records=splits_drawn,
        ignored=tuple(name for name in source.names() if not is_image(name)),
        remarks=(*draw_remarks(records, splits_drawn), *gaps(splits_drawn, names)),
    )


def _split_record(name: str, labels: Mapping[str, str]) -> Record:
    match name.split("/"):
        case [split, folder, _] if split.lower() in SPLIT_FOLDERS:
            return Record(name, SPLIT_FOLDERS[split.lower()], label=labels.get(folder, folder))
    raise BadLayout(
        f"unexpected image {name!r}; expected <split>/<class>/<image> with a split of "
        f"{', '.join(SPLIT_FOLDERS)}"
    )


def _plain_record(name: str, labels: Mapping[str, str]) -> Record:
    match name.split("/"):
        case [folder, _]:
            return Record(name, Split.TRAIN, label=labels.get(folder, folder))
    raise BadLayout(
        f"unexpected image {name!r}; expected <class>/<image>, or <split>/<class>/<image> with a "
        f"split of {', '.join(SPLIT_FOLDERS)}"
    )


def _class_order(records: Iterable[Record], options: ImportOptions) -> tuple[str, ...]:
    found = sorted({record.label for record in records if record.label})
    if options.labels is None:
        return tuple(found)
    unknown = [name for name in found if name not in options.labels]
    if unknown:
        raise BadLayout(
            f"unexpected class folders {', '.join(unknown)}; expected {', '.join(options.labels)}"
        )
    return options.labels


def gaps(records: tuple[Record, ...], names: tuple[str, ...]) -> Iterable[str]:
    """One remark for each class that a split lacks while it has others."""
    by_split = sorted(records, key=lambda record: record.split)
    for split, members in groupby(by_split, key=lambda record: record.split):
        present = {record.label for record in members}
        missing = [name for name in names if name not in present]
        if missing:
            yield f"no image in {split} of class {', '.join(missing)}"
