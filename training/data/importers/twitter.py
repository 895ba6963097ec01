"""Twitter I (You et al., AAAI 2015) and II (Borth et al., MM 2013): negative or positive.

`{train,test}/{negative,positive}/<image>`; Twitter I also as folds,
`<fold>/{train,test}/{negative,positive}/<image>`.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from models.labels import Polarity
from training.data.importers.class_folder import SPLIT_FOLDERS
from training.data.importers.fixed_classes import FixedClasses
from training.data.importers.folds import check_fold
from training.data.importers.listing import BadLayout, BadOption, ImportOptions, Listing, is_image
from training.data.importers.lookup import unused_files
from training.data.source import Source, SubfolderSource

TWITTER = (Polarity.NEGATIVE.value, Polarity.POSITIVE.value)

_import_folders = FixedClasses(TWITTER)


def import_twitter(source: Source, options: ImportOptions) -> Listing:
    """The listing of Twitter I or II; of five folds the one that the options ask for."""
    folds = _folds(source)
    if not folds:
        return _import_folders(source, options)
    if options.test_fold is None:
        raise BadOption("given no test_fold for folders of folds, which share images; expected one")
    check_fold(options.test_fold, folds)
    folder = folds[options.test_fold]
    listing = _import_folders(SubfolderSource(source, folder), options)
    records = tuple(replace(r, file_name=f"{folder}/{r.file_name}") for r in listing.records)
    return replace(
        listing,
        records=records,
        ignored=unused_files(source, records),
        remarks=(f"fold {options.test_fold} is the folder {folder}", *listing.remarks),
    )


def _folds(source: Source) -> Mapping[int, str]:
    """The folders of folds, counted from 0 in the order of the numbers in their names."""
    paths = [name.split("/") for name in source.names() if is_image(name)]
    if not all(len(path) == 4 and path[1].lower() in SPLIT_FOLDERS for path in paths):
        return {}
    numbers = {folder: re.findall(r"\d+", folder) for folder in {path[0] for path in paths}}
    by_number = {int(found[-1]): folder for folder, found in numbers.items() if found}
    if len(by_number) != len(numbers):
        raise BadLayout(
            f"given folders {', '.join(sorted(numbers))}; expected folds, each with its own number"
        )
    return {fold: by_number[number] for fold, number in enumerate(sorted(by_number))}
