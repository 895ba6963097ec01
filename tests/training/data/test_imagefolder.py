"""Data sets as the Hugging Face imagefolder loader has them are imported as they lie."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from models.labels import LabelKind
from tests.training.data.layouts import PACKINGS, Files, as_folder, listed, pictures, text
from training.data.canonical import CanonicalDataset, Split
from training.data.importers.listing import BadLayout, ImportOptions
from training.data.importing import import_dataset

CARD = text(["---", "license: mit", "task_categories:", "- image-classification", "---", "# Pets"])
PETS = pictures(
    f"{split}/{label}/{n}.png"
    for split, count in (("train", 4), ("validation", 1), ("test", 2))
    for label in ("cat", "dog")
    for n in range(count)
)


def imported(root: Path, sources: list[Path], **options: object) -> CanonicalDataset:
    import_dataset(
        format="imagefolder",
        sources=sources,
        destination=root / "made",
        name="pets",
        options=ImportOptions.model_validate(options),
        progress=lambda step, done, total: None,
    )
    return CanonicalDataset.open(root / "made")


def below(folder: str, files: Files) -> Files:
    return {f"{folder}{name}": content for name, content in files.items()}


@pytest.mark.parametrize("folder", ["", "data/", "pets/", "pets/data/"])
@pytest.mark.parametrize("packing", PACKINGS)
def test_class_folders_are_imported_from_wherever_they_lie(
    tmp_path: Path, packing: Callable[[Path, Files], list[Path]], folder: str
) -> None:
    card = {f"{folder.partition('/')[0]}/README.md".lstrip("/"): CARD}
    made = imported(tmp_path, packing(tmp_path, below(folder, PETS) | card))
    assert made.label_sets[LabelKind.SINGLE].names == ("cat", "dog")
    counts = {split: sum(each.split is split for each in made.samples) for split in Split}
    assert counts == {Split.TRAIN: 8, Split.VAL: 2, Split.TEST: 4}


def test_card_beside_the_one_folder_of_data_is_ignored_and_said(tmp_path: Path) -> None:
    listing = listed("imagefolder", tmp_path, below("data/", PETS) | {"README.md": CARD})
    assert listing.ignored == ("README.md",)
    assert {record.file_name for record in listing.records} == set(below("data/", PETS))


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (("train", "training", "Train"), Split.TRAIN),
        (("validation", "valid", "dev", "val"), Split.VAL),
        (("test", "testing", "eval", "evaluation"), Split.TEST),
    ],
)
def test_splits_go_by_the_loader_s_names(
    tmp_path: Path, names: tuple[str, ...], split: Split
) -> None:
    for name in names:
        files = below(f"{name}/", pictures(["cat/1.png", "dog/2.png"]))
        others = below("train/", pictures(["cat/x.png"])) | below("val/", pictures(["cat/y.png"]))
        found = listed("imagefolder", tmp_path / name, files | others).records
        assert {r.split for r in found if r.file_name.startswith(f"{name}/dog")} == {split}


def test_metadata_of_each_split_gives_labels_captions_and_numbers_of_classes(
    tmp_path: Path,
) -> None:
    files = {
        "README.md": CARD,
        "data/train/metadata.jsonl": text(
            json.dumps({"file_name": f"{n}.png", "label": n % 2, "text": f"pet {n}"})
            for n in range(4)
        ),
        **below("data/train/", pictures(f"{n}.png" for n in range(4))),
        "data/test/metadata.jsonl": text(['{"file_name": "far/9.png", "label": 1, "text": "pet"}']),
        **below("data/test/", {"far/9.png": pictures(f"{n}" for n in range(10))["9"]}),
    }
    made = imported(tmp_path, as_folder(tmp_path, files), val_fraction=0)
    assert made.label_sets[LabelKind.SINGLE].names == ("0", "1")
    assert [each.single for each in made.samples if each.split is Split.TRAIN] == [0, 1, 0, 1]
    (test,) = (each for each in made.samples if each.split is Split.TEST)
    assert (test.single, test.captions) == (1, ("pet",))


def test_metadata_at_the_root_may_have_our_columns(tmp_path: Path) -> None:
    files = {
        "metadata.csv": text(
            [
                "file_name,split,label,labels,joy,fear",
                "train/1.png,train,glad,glad|calm,0.75,0.25",
                "train/2.png,train,sad,[],0,1",
                "test/3.png,test,glad,calm,0.5,0.5",
            ]
        ),
        **pictures(["train/1.png", "train/2.png", "test/3.png"]),
    }
    made = imported(tmp_path, as_folder(tmp_path, files), val_fraction=0)
    assert {kind: labels.names for kind, labels in made.label_sets.items()} == {
        LabelKind.SINGLE: ("glad", "sad"),
        LabelKind.MULTI: ("calm", "glad"),
        LabelKind.DISTRIBUTION: ("joy", "fear"),
    }
    assert [each.shares for each in made.samples] == [(0.75, 0.25), (0.0, 1.0), (0.5, 0.5)]


def test_folders_are_no_labels_beside_metadata(tmp_path: Path) -> None:
    files = {
        "train/metadata.csv": b"file_name,label\ncat/0.png,furry\ndog/0.png,furry\n",
        **pictures(["train/cat/0.png", "train/dog/0.png"]),
    }
    assert {record.label for record in listed("imagefolder", tmp_path, files).records} == {"furry"}


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadLayout, match="has no image"):
        listed("imagefolder", tmp_path, {"README.md": CARD})
