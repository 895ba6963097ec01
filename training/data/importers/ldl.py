"""Flickr_LDL and Twitter_LDL (Yang et al., AAAI 2017): votes for Mikels' eight, text or MATLAB.

Three orders of the eight circulate: the names of a header are trusted, and where there is no
header the options have to say the order.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.labels import MIKELS
from training.data.canonical import Split, row_split
from training.data.columns import SPLIT
from training.data.importers.listing import BadLayout, BadOption, ImportOptions, Listing, Record
from training.data.importers.lookup import ImageIndex, find_file
from training.data.importers.matlab import Hdf5Arrays
from training.data.importers.mikels import mikels_label
from training.data.importers.votes import voted_listing, voted_record
from training.data.rows import BadRow, Row, check_distinct, decoded, delimited_rows
from training.data.source import Source

GROUND_TRUTH = "ground_truth.txt"
IMAGE = "images-name"


def import_ldl(source: Source, options: ImportOptions) -> Listing:
    """The listing of either set: shares in the order of MIKELS, the majority as the class."""
    file = find_file(source, GROUND_TRUTH)
    rows = _matlab_rows(source, options) if file is None else _text_rows(source, file, options)
    check_distinct(rows, lambda row: row.text(IMAGE))
    images = ImageIndex(source)
    records = tuple(_record(row, images) for row in rows)
    used = (rows[0].file,) if rows else ()
    return voted_listing(source, records, MIKELS, options, used=used)


def _record(row: Row, images: ImageIndex) -> Record:
    votes = {name: row.count(name) for name in MIKELS.names}
    record = voted_record(row, images.path(row, row.text(IMAGE)), votes, MIKELS)
    return replace(record, split=row_split(row)) if row.has(SPLIT) else record


def _text_rows(source: Source, file: str, options: ImportOptions) -> tuple[Row, ...]:
    content = source.read(file)
    first = decoded(content, file).partition("\n")[0].split()
    has_header = not any(cell.isdecimal() for cell in first[1:])
    if not has_header:
        columns = (IMAGE, *_given_order(options, file))
        return delimited_rows(content, file=file, delimiter=" ", columns=columns)
    order = [mikels_label(cell) or cell for cell in first[1:]]
    if sorted(order) != sorted(MIKELS.names):
        expected = f"a column for each of {', '.join(MIKELS.names)}"
        raise BadRow.at(file, 1, given=f"columns {', '.join(first[1:])}", expected=expected)
    if options.labels not in (None, tuple(order)):
        raise BadOption(f"given labels, but the header of {file} names them; leave labels out")
    rows = delimited_rows(content, file=file, delimiter=" ", columns=(IMAGE, *order))
    return rows[1:]


def _given_order(options: ImportOptions, file: str) -> tuple[str, ...]:
    if options.labels is None or sorted(options.labels) != sorted(MIKELS.names):
        raise BadOption(
            f"{file} does not name its columns of votes, and three orders circulate; expected "
            f"labels in the order of the columns: {', '.join(MIKELS.names)}, as the source has them"
        )
    return options.labels


def _matlab_rows(source: Source, options: ImportOptions) -> tuple[Row, ...]:
    files = [name for name in source.names() if name.endswith(".mat")]
    if len(files) != 1:
        raise BadLayout(
            f"{source.description} has no {GROUND_TRUTH} and {len(files)} .mat files; "
            "expected one of either"
        )
    order = _given_order(options, files[0])
    arrays = Hdf5Arrays(source.read(files[0]), file=files[0])
    names, votes = arrays.texts("imgname"), arrays.numbers("vote")
    if votes.shape != (len(names), len(order)):
        raise BadLayout(
            f"{files[0]}: vote has {' x '.join(map(str, votes.shape))} numbers for {len(names)} "
            f"names; expected {len(names)} x {len(order)}"
        )
    splits = _splits(
        {
            Split.TRAIN: _chosen(arrays.numbers("train_ind"), len(names)),
            Split.TEST: _chosen(arrays.numbers("test_ind"), len(names)),
        },
        len(names),
        files[0],
    )
    return tuple(_matlab_row_cells(names, votes, order, splits, files[0]))


def _matlab_row_cells(
    names: Sequence[str],
    votes: NDArray[np.float64],
    order: tuple[str, ...],
    splits: Mapping[int, Split],
    file: str,
) -> Iterator[Row]:
    for position, name in enumerate(names):
        cells = dict(zip(order, votes[position].tolist(), strict=True))
        image = {IMAGE: name, SPLIT: splits[position]}
        yield Row(file, position + 1, cells | image, unit="entry")


def _chosen(indicator: NDArray[np.float64], size: int) -> frozenset[int]:
    """The positions that a mask of 0 and 1, or a list of numbers from 1 on, chooses."""
    flat = indicator.ravel()
    if flat.size == size and np.isin(flat, (0, 1)).all():
        return frozenset(np.flatnonzero(flat).tolist())
    return frozenset(int(number) - 1 for number in flat)


def _splits(chosen: Mapping[Split, frozenset[int]], size: int, file: str) -> dict[int, Split]:
    splits = {position: split for split, positions in chosen.items() for position in positions}
    if sum(map(len, chosen.values())) != size or set(splits) != set(range(size)):
        counts = ", ".join(f"{len(positions)} as {split}" for split, positions in chosen.items())
        raise BadLayout(
            f"{file}: train_ind and test_ind choose {counts} of {size}; "
            "expected each image in exactly one of them"
        )
    return splits
