"""Metadata as others write it: one file or one a folder, labels of every kind, orders given."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from models.labels import LabelKind
from tests.training.data.layouts import PACKINGS, Files, text, write_folder
from training.data.canonical import Split
from training.data.columns import BadDataset
from training.data.importers.canonical import import_canonical
from training.data.importers.listing import BadLayout, BadOption, ImportOptions, Listing, Record
from training.data.rows import BadRow
from training.data.source import open_source

ORDER = b'{"license": "mine", "label_sets": {"single": {"names": ["sad", "glad"]}}}'


def listed(root: Path, files: Mapping[str, bytes], **options: object) -> Listing:
    source = open_source([write_folder(root, files)])
    return import_canonical(source, ImportOptions.model_validate(options))


def table(*lines: str) -> Files:
    return {"metadata.csv": text(lines), "a.jpg": b"", "b.jpg": b""}


@pytest.mark.parametrize("packing", PACKINGS)
def test_every_kind_of_label_is_read_from_every_packing(
    tmp_path: Path, packing: Callable[[Path, Files], list[Path]]
) -> None:
    files = table(
        "file_name,split,label,labels,joy,fear,caption",
        'a.jpg,train,glad,glad|calm,0.25,0.75,"a dog, running"',
        "b.jpg,val,,[],,,",
    )
    listing = import_canonical(open_source(packing(tmp_path, files)), ImportOptions())
    assert {kind: names.names for kind, names in listing.label_sets.items()} == {
        LabelKind.SINGLE: ("glad",),
        LabelKind.MULTI: ("calm", "glad"),
        LabelKind.DISTRIBUTION: ("joy", "fear"),
    }
    assert listing.records == (
        Record(
            "a.jpg",
            Split.TRAIN,
            label="glad",
            labels=("glad", "calm"),
            shares=(0.25, 0.75),
            captions=("a dog, running",),
        ),
        Record("b.jpg", Split.VAL, labels=()),
    )


def test_json_lines_say_the_same_as_a_table(tmp_path: Path) -> None:
    csv = table("file_name,split,labels,joy,fear", "a.jpg,train,joy|fear,1,3", "b.jpg,val,[],2,2")
    jsonl = {
        "metadata.jsonl": text(
            [
                '{"file_name": "a.jpg", "split": "train", "labels": ["joy", "fear"], '
                '"joy": 1, "fear": 3}',
                '{"file_name": "b.jpg", "split": "val", "labels": [], "joy": 2, "fear": 2}',
            ]
        ),
        "a.jpg": b"",
        "b.jpg": b"",
    }
    assert listed(tmp_path / "a", csv).records == listed(tmp_path / "b", jsonl).records


def test_each_folder_may_have_its_own_metadata_and_name_the_split(tmp_path: Path) -> None:
    files = {
        "train/metadata.csv": b"file_name,label\n1.jpg,glad\nmore/2.jpg,sad\n",
        "train/1.jpg": b"",
        "train/more/2.jpg": b"",
        "validation/metadata.jsonl": b'{"file_name": "3.jpg", "label": "glad"}\n',
        "validation/3.jpg": b"",
        "test/metadata.csv": b"file_name,label\n4.jpg,sad\n",
        "test/4.jpg": b"",
    }
    assert {(r.file_name, r.split, r.label) for r in listed(tmp_path, files).records} == {
        ("train/1.jpg", Split.TRAIN, "glad"),
        ("train/more/2.jpg", Split.TRAIN, "sad"),
        ("validation/3.jpg", Split.VAL, "glad"),
        ("test/4.jpg", Split.TEST, "sad"),
    }


def test_names_are_sorted_where_no_order_is_written(tmp_path: Path) -> None:
    files = table("file_name,label", "a.jpg,sad", "b.jpg,glad")
    listing = listed(tmp_path, files)
    assert listing.label_sets[LabelKind.SINGLE].names == ("glad", "sad")
    assert "single labels in this order: glad, sad" in listing.remarks


def test_the_order_of_dataset_json_wins(tmp_path: Path) -> None:
    files = table("file_name,label", "a.jpg,sad", "b.jpg,glad") | {"dataset.json": ORDER}
    assert listed(tmp_path, files).label_sets[LabelKind.SINGLE].names == ("sad", "glad")


def test_the_order_of_the_options_is_kept(tmp_path: Path) -> None:
    files = table("file_name,label", "a.jpg,sad", "b.jpg,glad")
    listing = listed(tmp_path, files, labels=["sad", "mad", "glad"])
    assert listing.label_sets[LabelKind.SINGLE].names == ("sad", "mad", "glad")


def test_options_choose_the_columns_of_shares_and_their_order(tmp_path: Path) -> None:
    files = table("file_name,joy,width,fear", "a.jpg,1,640,3", "b.jpg,2,480,2")
    listing = listed(tmp_path, files, labels=["fear", "joy"])
    assert listing.label_sets[LabelKind.DISTRIBUTION].names == ("fear", "joy")
    assert [r.shares for r in listing.records] == [(3.0, 1.0), (2.0, 2.0)]
    assert "columns not used: width" in listing.remarks


def test_other_columns_are_not_used_where_the_options_name_classes(tmp_path: Path) -> None:
    files = table("file_name,label,photographer", "a.jpg,sad,Ann", "b.jpg,glad,Bob")
    listing = listed(tmp_path, files, labels=["sad", "glad"])
    assert set(listing.label_sets) == {LabelKind.SINGLE}
    assert "columns not used: photographer" in listing.remarks


def test_a_column_of_words_is_not_taken_for_shares(tmp_path: Path) -> None:
    files = table("file_name,label,photographer", "a.jpg,sad,Ann", "b.jpg,glad,Bob")
    with pytest.raises(BadRow, match="line 2: given 'Ann' for photographer; expected a number"):
        listed(tmp_path, files)


@pytest.mark.parametrize(
    ("header", "row", "advice"),
    [
        ("file_name,label,by", "a.jpg,sad,Ann", "--labels sad;"),
        ("file_name,labels,by", "a.jpg,sad|mad,Ann", "--labels mad,sad;"),
        ("file_name,joy,by,fear", "a.jpg,0.5,Ann,0.5", "--labels joy,fear;"),
        ("file_name,mood", "a.jpg,sad", "call it label where it holds the label"),
    ],
)
def test_a_column_of_words_says_how_to_go_on(
    tmp_path: Path, header: str, row: str, advice: str
) -> None:
    with pytest.raises(BadRow) as raised:
        listed(tmp_path, table(header, row))
    assert advice in str(raised.value)


def test_labels_of_which_some_have_no_column_are_an_error(tmp_path: Path) -> None:
    files = table("file_name,joy,fear", "a.jpg,1,3")
    with pytest.raises(BadOption, match="given labels of which sadness have no column"):
        listed(tmp_path, files, labels=["joy", "sadness"])


def test_captions_alone_make_a_data_set(tmp_path: Path) -> None:
    listing = listed(tmp_path, table("file_name,caption", "a.jpg,A dog.", "b.jpg,A cat."))
    assert listing.label_sets == {}
    assert [r.captions for r in listing.records] == [("A dog.",), ("A cat.",)]


def test_captions_may_be_several_and_called_text_as_in_the_loader_s_examples(
    tmp_path: Path,
) -> None:
    files = {
        "metadata.jsonl": b'{"file_name": "a.jpg", "text": ["A dog.", "Dogs."]}\n'
        b'{"file_name": "b.jpg", "text": "A cat."}\n',
        "a.jpg": b"",
        "b.jpg": b"",
    }
    listing = listed(tmp_path, files)
    assert [r.captions for r in listing.records] == [("A dog.", "Dogs."), ("A cat.",)]
    assert listing.remarks == ()


def test_text_beside_captions_is_not_used(tmp_path: Path) -> None:
    listing = listed(tmp_path, table("file_name,caption,text", "a.jpg,A dog.,x", "b.jpg,,y"))
    assert [r.captions for r in listing.records] == [("A dog.",), ()]
    assert listing.remarks == ("columns not used: text",)


@pytest.mark.parametrize(
    ("lines", "fact"),
    [
        (["name,label", "a.jpg,sad"], "line 1: given columns name, label; expected also file_name"),
        (["file_name,label", "a.jpg,sad", ",glad"], "line 3: given '' for file_name"),
        (["file_name,label", "../a.jpg,sad"], "line 2: given file_name '../a.jpg'"),
        (["file_name,label", "/a.jpg,sad"], "line 2: given file_name '/a.jpg'"),
        (["file_name,label", "a.jpg,x", "a.jpg,y"], "line 3: given 'a.jpg' again"),
        (["file_name,split,label", "a.jpg,half,x"], "line 2: given split 'half'; expected one of"),
        (["file_name,split,label", "a.jpg,test,x", "b.jpg,,x"], "line 3: given no split"),
        (["file_name,joy,fear", "a.jpg,1,"], "line 2: given '' for fear; expected a number"),
        (["file_name,joy,fear", "a.jpg,0,0"], "line 2: given shares that are all 0"),
        (["file_name"], "line 1: given no row"),
    ],
)
def test_a_bad_row_is_an_error_with_its_line(tmp_path: Path, lines: list[str], fact: str) -> None:
    with pytest.raises(BadRow, match=f"metadata.csv, {fact}"):
        listed(tmp_path, table(*lines))


def test_a_label_out_of_the_written_order_is_an_error_with_its_line(tmp_path: Path) -> None:
    files = table("file_name,label", "a.jpg,sad", "b.jpg,mad") | {"dataset.json": ORDER}
    with pytest.raises(
        BadRow, match="line 3: given unknown label 'mad'; expected one of sad, glad"
    ):
        listed(tmp_path, files)


def test_a_column_that_the_written_order_needs_is_missed(tmp_path: Path) -> None:
    files = table("file_name,class", "a.jpg,sad") | {"dataset.json": ORDER}
    with pytest.raises(BadRow, match="line 1: given columns file_name, class; expected also label"):
        listed(tmp_path, files)


def test_a_dataset_json_without_label_sets_is_an_error(tmp_path: Path) -> None:
    files = table("file_name,label", "a.jpg,sad") | {"dataset.json": b"{}"}
    with pytest.raises(BadLayout, match=r"dataset\.json does not say the label sets"):
        listed(tmp_path, files)


def test_rows_with_neither_label_nor_caption_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadLayout, match="neither labels nor captions"):
        listed(tmp_path, table("file_name,split", "a.jpg,train"))


@pytest.mark.parametrize(
    ("names", "fact"),
    [
        (["metadata.csv", "metadata.jsonl"], "has metadata.csv and metadata.jsonl; .*keep one"),
        (["metadata.csv", "metadata.parquet"], "has metadata.csv and metadata.parquet; .*keep one"),
    ],
)
def test_metadata_that_cannot_be_used_says_what_to_do(
    tmp_path: Path, names: list[str], fact: str
) -> None:
    with pytest.raises(BadDataset, match=fact):
        listed(tmp_path, dict.fromkeys(names, b""))


def test_images_without_metadata_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadLayout, match=r"has no metadata file; expected metadata\.csv or"):
        listed(tmp_path, {"a.jpg": b""})
