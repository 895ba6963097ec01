"""Flickr8k (Hodosh et al., JAIR 2013): `captions.txt`, `images/`, `splits.csv` if there."""

from collections.abc import Mapping

from training.data.canonical import Split, row_split
from training.data.columns import FILE_NAME, SPLIT
from training.data.importers.draw import draw_remarks, with_test_and_val, with_val
from training.data.importers.listing import BadOption, ImportOptions, Listing, Record
from training.data.importers.lookup import ImageIndex, find_file, required_file, unused_files
from training.data.rows import BadRow, Row, check_columns, check_distinct, decoded, delimited_rows
from training.data.source import Source

CAPTIONS, SPLITS = "captions.txt", "splits.csv"
IMAGE, CAPTION = "image", "caption"


def import_flickr8k(source: Source, options: ImportOptions) -> Listing:
    """The listing of Flickr8k: captions, no labels."""
    if options.labels is not None:
        raise BadOption("given labels for flickr8k, which has none: leave them out")
    captions_file = required_file(source, CAPTIONS)
    splits_file = find_file(source, SPLITS)
    splits = {} if splits_file is None else _splits(source, splits_file)
    rows: dict[str, list[Row]] = {}
    for row in caption_rows(source.read(captions_file), file=captions_file):
        rows.setdefault(row.text(IMAGE), []).append(row)
    images = ImageIndex(source)
    records = tuple(_record(of_image, images, splits) for of_image in rows.values())
    placed = (with_val if splits else with_test_and_val)(records, options)
    return Listing(
        label_sets={},
        records=placed,
        ignored=unused_files(source, records, captions_file, splits_file or ""),
        remarks=tuple(draw_remarks(records, placed)),
    )


def caption_rows(content: bytes, *, file: str) -> tuple[Row, ...]:
    """The rows of `image,caption`, split at the first comma: some copies quote no commas."""
    lines = [line.strip() for line in decoded(content, file).split("\n")]
    if lines[0] != f"{IMAGE},{CAPTION}":
        raise BadRow.at(file, 1, given=f"header {lines[0]!r}", expected=f"{IMAGE},{CAPTION}")
    return tuple(
        _caption_row(line, file, number) for number, line in enumerate(lines[1:], start=2) if line
    )


def _caption_row(line: str, file: str, number: int) -> Row:
    image, _, caption = line.partition(",")
    return Row(file, number, {IMAGE: image, CAPTION: _unquoted(caption.strip())})


def _unquoted(caption: str) -> str:
    """A caption out of the quotes that CSV puts around it, where these enclose it as a whole."""
    inner = caption[1:-1].replace('""', "")
    enclosed = len(caption) > 1 and caption[0] == caption[-1] == '"' and '"' not in inner
    return caption[1:-1].replace('""', '"') if enclosed else caption


def _splits(source: Source, file: str) -> Mapping[str, Split]:
    rows = delimited_rows(source.read(file), file=file)
    check_columns(rows, (FILE_NAME, SPLIT), file=file)
    check_distinct(rows, lambda row: row.text(FILE_NAME))
    return {row.text(FILE_NAME): row_split(row) for row in rows}


def _record(rows: list[Row], images: ImageIndex, splits: Mapping[str, Split]) -> Record:
    name = rows[0].text(IMAGE)
    if splits and name not in splits:
        raise rows[0].bad(given=f"image {name!r}", expected=f"one that {SPLITS} gives a split")
    return Record(
        images.path(rows[0], name),
        splits.get(name, Split.TRAIN),
        captions=tuple(row.text(CAPTION) for row in rows),
    )
