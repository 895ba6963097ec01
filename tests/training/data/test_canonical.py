"""The canonical dataset as training opens it: every row is checked before anything runs."""

import json
import pickle
from pathlib import Path

import pytest

from models.labels import LabelKind
from tests.training.data.layouts import Files, text, write_folder
from training.data.canonical import CanonicalDataset, Sample, Split
from training.data.columns import BadDataset
from training.data.importers.listing import Record
from training.data.metadata import metadata_csv
from training.data.rows import BadRow
from training.data.source import UnreadableSource, UnsafePath

HEADER = "file_name,split,label,labels,joy,fear,caption"
FIRST = 'images/a.jpg,train,glad,wild|calm,0.25,0.75,"a dog, running"'
SECOND = "images/b.jpg,test,,,,,"
CARD = {
    "name": "tiny",
    "format": "canonical",
    "digest": "d",
    "label_sets": {
        "single": {"names": ["sad", "glad"]},
        "multi": {"names": ["calm", "bored", "wild"]},
        "distribution": {"names": ["fear", "joy"]},
    },
    "counts": {"train": 1, "val": 0, "test": 1},
}


def dataset(*lines: str) -> Files:
    return {
        "dataset.json": json.dumps(CARD).encode(),
        "metadata.csv": text(lines),
        "images/a.jpg": b"first",
        "images/b.jpg": b"second",
    }


def opened(root: Path, files: Files) -> CanonicalDataset:
    return CanonicalDataset.open(write_folder(root, files))


def test_labels_become_positions_in_the_written_order(tmp_path: Path) -> None:
    samples = opened(tmp_path, dataset(HEADER, FIRST, SECOND)).samples
    assert samples == (
        Sample(
            file_name="images/a.jpg",
            split=Split.TRAIN,
            single=1,
            multi=(0, 2),
            shares=(0.75, 0.25),
            captions=("a dog, running",),
        ),
        Sample("images/b.jpg", Split.TEST, single=None, multi=None, shares=None, captions=()),
    )


def test_a_dataset_knows_its_name_digest_and_label_sets(tmp_path: Path) -> None:
    made = opened(tmp_path, dataset(HEADER, FIRST))
    assert (made.name, made.digest, made.root) == ("tiny", "d", tmp_path)
    assert made.label_sets[LabelKind.MULTI].names == ("calm", "bored", "wild")


def test_subsets_hold_the_samples_of_their_split_and_images_are_read(tmp_path: Path) -> None:
    made = opened(tmp_path, dataset(HEADER, FIRST, SECOND))
    assert [made.subset(split) for split in Split] == [made.samples[:1], (), made.samples[1:]]
    assert made.read_image(made.samples[1]) == b"second"


def test_no_label_holds_is_not_the_same_as_nothing_known(tmp_path: Path) -> None:
    made = opened(tmp_path, dataset(HEADER, "images/a.jpg,train,,[],,,", SECOND))
    assert [sample.multi for sample in made.samples] == [(), None]


def test_json_lines_open_as_well(tmp_path: Path) -> None:
    files = dataset(HEADER, FIRST, SECOND)
    lines = [
        {
            "file_name": "images/a.jpg",
            "split": "train",
            "label": "glad",
            "labels": ["wild", "calm"],
            "joy": 0.25,
            "fear": 0.75,
            "caption": ["a dog, running"],
        },
        {"file_name": "images/b.jpg", "split": "test"},
    ]
    jsonl = {k: v for k, v in files.items() if k != "metadata.csv"}
    jsonl["metadata.jsonl"] = text(map(json.dumps, lines))
    assert opened(tmp_path / "a", jsonl).samples == opened(tmp_path / "b", files).samples


@pytest.mark.parametrize(
    ("cell", "captions"),
    [
        ("A dog.", ("A dog.",)),
        ('"[""A dog."", ""A dog, running.""]"', ("A dog.", "A dog, running.")),
        ('"[ ""A dog."" ]"', ("A dog.",)),
        ("[]", ()),
        ("[untitled] dog", ("[untitled] dog",)),
        ("", ()),
    ],
)
def test_a_sample_may_have_any_number_of_captions(
    tmp_path: Path, cell: str, captions: tuple[str, ...]
) -> None:
    made = opened(tmp_path, dataset(HEADER, f"images/a.jpg,train,,,,,{cell}"))
    assert made.samples[0].captions == captions


@pytest.mark.parametrize(
    "captions",
    [
        (),
        ("A dog.",),
        ('["A" dog.',),
        ("[1] dog",),
        ("Twice.", "Twice."),
        ('He said "hé".', "b,\nc"),
    ],
)
def test_captions_that_are_written_are_read_again(
    tmp_path: Path, captions: tuple[str, ...]
) -> None:
    records = [
        Record("images/a.jpg", Split.TRAIN, captions=captions),
        Record("images/b.jpg", Split.TRAIN, captions=("Other.",)),
    ]
    card = CARD | {"label_sets": {}}
    files = dataset() | {
        "dataset.json": json.dumps(card).encode(),
        "metadata.csv": metadata_csv(records, {}),
    }
    assert opened(tmp_path, files).samples[0].captions == captions


def test_columns_may_come_in_any_order(tmp_path: Path) -> None:
    mixed = dataset("fear,label,joy,split,labels,file_name", "3,sad,1,val,bored,images/a.jpg")
    sample = opened(tmp_path, mixed).samples[0]
    assert (sample.single, sample.multi, sample.shares) == (0, (1,), (3.0, 1.0))


def test_a_dataset_can_be_handed_to_another_process(tmp_path: Path) -> None:
    made = opened(tmp_path, dataset(HEADER, FIRST))
    assert pickle.loads(pickle.dumps(made)) == made


@pytest.mark.parametrize(
    ("row", "fact"),
    [
        ("images/b.jpg,train,mad,,,,", "given unknown label 'mad'; expected one of sad, glad"),
        ("images/b.jpg,train,,calm|odd,,,", "given unknown label 'odd'; expected one of calm"),
        ("images/b.jpg,train,,calm|calm,,,", "given 'calm|calm' for labels; expected each name"),
        ("images/b.jpg,dev,,,,,", "given split 'dev'; expected one of train, val, test"),
        ("images/b.jpg,,,,,,", "given '' for split; expected text"),
        ("images/b.jpg,train,,,0.5,,", "given '' for fear; expected a number of at least 0"),
        ("images/b.jpg,train,,,0.5,-1,", "given '-1' for fear"),
        ("images/b.jpg,train,,,0.5,nan,", "given 'nan' for fear"),
        ("images/b.jpg,train,,,0,0,", "given shares that are all 0"),
        ("images/c.jpg,train,,,,,", "given file 'images/c.jpg'; expected a file that is there"),
        ("../b.jpg,train,,,,,", "given file_name '../b.jpg'"),
        ("images/a.jpg,train,,,,,", "given 'images/a.jpg' again; expected it once; .* line 2"),
        ("images/b.jpg,train", "given 2 cells; expected 7"),
        ('images/b.jpg,train,,,,,"[""A dog."""', "for caption; expected a text, or a list such"),
        ('images/b.jpg,train,,,,,"[""A dog."", 1]"', "for caption; expected a text, or a list"),
        ('images/b.jpg,train,,,,,"[""A dog."", "" ""]"', "for caption; expected a text, or a li"),
    ],
)
def test_a_bad_row_is_an_error_with_file_and_line(tmp_path: Path, row: str, fact: str) -> None:
    files = dataset(HEADER, FIRST, row)
    with pytest.raises(BadRow) as caught:
        opened(tmp_path, files)
    assert str(caught.value).startswith(f"{tmp_path / 'metadata.csv'}, line 3: ")
    caught.match(fact.replace("|", r"\|"))


@pytest.mark.parametrize("column", ["split", "label", "labels", "fear"])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    with pytest.raises(BadRow, match=f"line 1: given columns .*; expected also {column}"):
        opened(tmp_path, dataset(HEADER.replace(f",{column},", ",other,"), FIRST))


def test_a_label_set_that_repeats_a_name_is_an_error(tmp_path: Path) -> None:
    card = CARD | {"label_sets": {"single": {"names": ["sad", "sad"]}}}
    files = dataset(HEADER, FIRST) | {"dataset.json": json.dumps(card).encode()}
    with pytest.raises(BadDataset, match=r"dataset\.json is not a dataset's card"):
        opened(tmp_path, files)


def test_a_folder_that_was_not_imported_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="import it first"):
        CanonicalDataset.open(tmp_path)


def test_a_dataset_json_that_is_no_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").mkdir()
    with pytest.raises(UnreadableSource, match="cannot read"):
        CanonicalDataset.open(tmp_path)


def test_an_image_that_is_a_link_out_of_the_dataset_is_refused(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "set", dataset(HEADER, FIRST))
    write_folder(tmp_path, {"secret.jpg": b"x"})
    (root / "images" / "a.jpg").unlink()
    (root / "images" / "a.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(UnsafePath):
        CanonicalDataset.open(root)
