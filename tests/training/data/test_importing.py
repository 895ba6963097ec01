"""Importing from end to end: whole or not at all, and honest about what was found."""

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from models.labels import EMOTION6, MIKELS, LabelKind
from tests.durability import is_synced_around_rename, noted
from tests.training.data.layouts import (
    PACKINGS,
    Files,
    emotion6,
    fi,
    picture,
    pictures,
    write_folder,
)
from tests.training.data.miniatures import MINIATURES
from training.data.canonical import CanonicalDataset, Split, read_card
from training.data.importers.listing import BadLayout, ImportOptions
from training.data.importers.table import IMPORTERS
from training.data.importing import (
    ImportReport,
    MissingImages,
    UnknownFormat,
    UnreadableImages,
    import_dataset,
)
from training.data.source import UnsafePath
from training.data.staging import DestinationExists

Packing = Callable[[Path, Files], list[Path]]


def silent(step: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def imported(root: Path, sources: list[Path], format: str, **options: object) -> ImportReport:
    return import_dataset(
        format=format,
        sources=sources,
        destination=root / "made",
        name="tiny",
        options=ImportOptions.model_validate(options),
        progress=silent,
    )


def import_folder(root: Path, files: Files, **options: object) -> ImportReport:
    return imported(root, [write_folder(root / "in", files)], "class_folder", **options)


def files_below(root: Path) -> Files:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_every_format_has_a_miniature_here() -> None:
    assert set(MINIATURES) == set(IMPORTERS)


@pytest.mark.parametrize("format", IMPORTERS)
@pytest.mark.parametrize("packing", PACKINGS)
def test_every_format_is_imported_and_opened_from_every_packing(
    tmp_path: Path, format: str, packing: Packing
) -> None:
    files = MINIATURES[format]
    report = imported(tmp_path, packing(tmp_path, files), format)
    made = CanonicalDataset.open(tmp_path / "made")
    images = {name for name in files if name.endswith(".jpg")}
    assert len(made.samples) == len(images) == sum(report.counts.values())
    assert {made.read_image(s) for s in made.samples} == {files[name] for name in images}
    assert made.digest == report.digest


@pytest.mark.parametrize("format", IMPORTERS)
def test_the_same_files_make_the_same_dataset_however_packed(tmp_path: Path, format: str) -> None:
    made = []
    for n, packing in enumerate(PACKINGS):
        root = tmp_path / str(n)
        root.mkdir()
        imported(root, packing(root, MINIATURES[format]), format)
        made.append(files_below(root / "made"))
    assert made[0] == made[1] == made[2]


@pytest.mark.parametrize("format", IMPORTERS)
def test_a_dataset_that_is_imported_again_stays_the_same(tmp_path: Path, format: str) -> None:
    first = imported(
        tmp_path, [write_folder(tmp_path / "in", MINIATURES[format])], format, val_fraction=0.4
    )
    again = tmp_path / "again"
    again.mkdir()
    second = imported(again, [tmp_path / "made"], "canonical")
    assert second.digest == first.digest
    assert files_below(again / "made" / "images") == files_below(tmp_path / "made" / "images")


def test_labels_survive_the_way_through_the_files(tmp_path: Path) -> None:
    imported(tmp_path, [write_folder(tmp_path / "in", emotion6())], "emotion6")
    made = CanonicalDataset.open(tmp_path / "made")
    assert made.label_sets[LabelKind.DISTRIBUTION] == EMOTION6
    assert {s.shares for s in made.samples} == {(0.1, 0.2, 0.3, 0.05, 0.15, 0.0, 0.2)}
    keywords = made.label_sets[LabelKind.SINGLE]
    for sample in made.samples:
        assert sample.single is not None
        assert sample.file_name.startswith(f"images/{keywords.names[sample.single]}/")


def test_train_and_test_name_the_same_class_by_the_same_number(tmp_path: Path) -> None:
    report = import_folder(
        tmp_path, pictures(["test/b/1.jpg", "test/c/2.jpg", "train/a/3.jpg", "train/c/4.jpg"])
    )
    made = CanonicalDataset.open(tmp_path / "made")
    assert {(s.file_name, s.single) for s in made.samples} == {
        ("images/test/b/1.jpg", 1),
        ("images/test/c/2.jpg", 2),
        ("images/train/a/3.jpg", 0),
        ("images/train/c/4.jpg", 2),
    }
    assert "no image in test of class a" in report.lines()


def test_the_card_says_what_was_imported_and_how(tmp_path: Path) -> None:
    imported(tmp_path, [write_folder(tmp_path / "in", fi())], "fi", terms="research", seed=3)
    card = read_card(tmp_path / "made")
    assert (card.name, card.format, card.terms) == ("tiny", "fi", "research")
    assert card.label_sets == {LabelKind.SINGLE: MIKELS}
    assert card.counts == {Split.TRAIN: 24, Split.VAL: 24, Split.TEST: 24}
    assert card.options["seed"] == 3


def test_the_digest_can_be_worked_out_by_hand(tmp_path: Path) -> None:
    report = import_folder(tmp_path, {"train/a/1.jpg": picture(1), "test/a/2.jpg": picture(2)})
    images = [hashlib.sha256(picture(n)).hexdigest() for n in (2, 1)]
    label_sets = {"single": {"names": ["a"], "polarity": None}}
    metadata = (tmp_path / "made" / "metadata.csv").read_bytes()
    assert (
        metadata
        == b"file_name,split,label\nimages/test/a/2.jpg,test,a\nimages/train/a/1.jpg,train,a\n"
    )
    content = "\n".join(images).encode() + json.dumps(label_sets).encode()
    by_hand = hashlib.sha256(content + hashlib.sha256(metadata).digest()).hexdigest()
    assert report.digest == by_hand


def test_the_digest_changes_with_what_training_reads(tmp_path: Path) -> None:
    files = pictures(["train/a/1.jpg", "train/b/2.jpg"])
    first, second = files.values()
    digests = {
        import_folder(tmp_path / "same", files).digest,
        import_folder(tmp_path / "image", files | {"train/a/1.jpg": picture(99)}).digest,
        import_folder(tmp_path / "name", {"train/a/3.jpg": first, "train/b/2.jpg": second}).digest,
        import_folder(tmp_path / "swap", {"train/a/1.jpg": second, "train/b/2.jpg": first}).digest,
        import_folder(tmp_path / "order", files, labels=["b", "a"]).digest,
    }
    assert len(digests) == 5


def test_every_missing_image_is_counted_and_ten_are_named(tmp_path: Path) -> None:
    files = emotion6()
    for name in [name for name in files if "/images/fear/" in name or "/images/joy/" in name]:
        del files[name]
    del files["Emotion6/images/anger/1.jpg"], files["Emotion6/images/anger/2.jpg"]
    with pytest.raises(MissingImages) as caught:
        imported(tmp_path, [write_folder(tmp_path / "in", files)], "emotion6")
    caught.match("12 of 30 images are not in")
    caught.match(r"images/anger/1\.jpg, images/anger/2\.jpg, images/fear/1\.jpg.* and 2 more")
    assert not (tmp_path / "made").exists()


UNREADABLE: Mapping[str, bytes] = {
    "empty": b"",
    "html": b"<html>404</html>",
    "cut short": picture(1, "JPEG")[:-60],
    "vector": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n",
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_image_stops_the_import_and_is_named(tmp_path: Path, content: bytes) -> None:
    files = pictures(["train/a/1.jpg", "train/a/2.jpg"]) | {"train/a/bad.jpg": content}
    with pytest.raises(UnreadableImages, match=r"1 images cannot be decoded: train/a/bad\.jpg \("):
        import_folder(tmp_path, files)
    assert not (tmp_path / "made").exists()


def test_unreadable_images_are_left_out_and_listed_where_that_is_asked_for(tmp_path: Path) -> None:
    files = pictures(["train/a/1.jpg", "train/a/2.jpg"]) | {"train/a/bad.jpg": b""}
    report = import_folder(tmp_path, files, skip_unreadable=True)
    assert len(CanonicalDataset.open(tmp_path / "made").samples) == 2
    assert [line for line in report.lines() if line.startswith("unreadable, left out: train/a/bad")]
    assert not (tmp_path / "made/images/train/a/bad.jpg").exists()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_images_are_copied_byte_for_byte(tmp_path: Path, format: str) -> None:
    content = picture(1, format)
    import_folder(tmp_path, {"train/a/1.jpg": content})
    assert (tmp_path / "made/images/train/a/1.jpg").read_bytes() == content


def test_no_copy_of_a_test_image_is_trained_on(tmp_path: Path) -> None:
    files = pictures(["train/a/1.jpg", "train/a/2.jpg", "val/a/3.jpg", "test/a/4.jpg"])
    files |= {"train/a/copy.jpg": files["test/a/4.jpg"], "val/a/copy.jpg": files["test/a/4.jpg"]}
    files |= {"train/a/other.jpg": files["val/a/3.jpg"]}
    report = import_folder(tmp_path, files)
    made = CanonicalDataset.open(tmp_path / "made")
    assert {s.file_name for s in made.samples} == {
        f"images/{name}" for name in files if "copy" not in name and "other" not in name
    }
    left_out = {name for group in report.duplicates for name in group.left_out}
    assert left_out == {"train/a/copy.jpg", "val/a/copy.jpg", "train/a/other.jpg"}
    assert not (tmp_path / "made/images/train/a/copy.jpg").exists()
    findings = read_card(tmp_path / "made").findings
    assert sum("the same image with the same labels" in finding for finding in findings) == 2


def test_one_image_with_two_labels_is_reported_and_kept(tmp_path: Path) -> None:
    files = pictures(["train/a/1.jpg", "train/b/2.jpg", "val/a/3.jpg"])
    files["train/b/copy.jpg"] = files["train/a/1.jpg"]
    report = import_folder(tmp_path, files)
    assert [(g.files, g.left_out, g.conflicting) for g in report.duplicates] == [
        (("train/a/1.jpg", "train/b/copy.jpg"), (), True)
    ]
    assert any("different labels" in line for line in report.lines())
    assert len(CanonicalDataset.open(tmp_path / "made").samples) == 4


def test_one_image_twice_in_a_class_of_a_split_is_no_news(tmp_path: Path) -> None:
    files = pictures(["train/a/1.jpg", "val/a/2.jpg"])
    report = import_folder(tmp_path, files | {"train/a/copy.jpg": files["train/a/1.jpg"]})
    assert report.duplicates == ()


def test_a_long_list_is_cut_for_the_reader_and_whole_in_the_card(tmp_path: Path) -> None:
    test = pictures(f"test/a/{n}.jpg" for n in range(12))
    files = test | {f"train/a/{n}.jpg": test[f"test/a/{n}.jpg"] for n in range(12)}
    report = import_folder(tmp_path, files | {"train/a/own.jpg": picture(99)})
    assert sum("the same image" in line for line in report.lines()) == 10
    assert "... and 2 more, all in dataset.json" in report.lines()
    assert sum("the same image" in line for line in read_card(tmp_path / "made").findings) == 12


def test_the_report_counts_splits_and_classes(tmp_path: Path) -> None:
    report = import_folder(tmp_path, pictures(["train/a/1.jpg", "val/b/2.jpg", "test/a/3.jpg"]))
    assert report.lines()[:4] == [
        "tiny: 3 images (train 1, val 1, test 1)",
        "  train: a 1, b 0",
        "  val: a 0, b 1",
        "  test: a 1, b 0",
    ]


@pytest.mark.parametrize("kind", ["dataset", "file", "empty folder", "dangling link"])
def test_what_is_at_the_destination_stays(tmp_path: Path, kind: str) -> None:
    destination = tmp_path / "made"
    if kind == "dataset":
        import_folder(tmp_path, pictures(["train/a/1.jpg"]))
    elif kind == "file":
        destination.write_bytes(b"mine")
    elif kind == "empty folder":
        destination.mkdir()
    else:
        destination.symlink_to("nowhere")
    before = files_below(tmp_path)
    with pytest.raises(DestinationExists, match="made exists; expected a new path"):
        imported(tmp_path, [], "class_folder")
    assert files_below(tmp_path) == before


def test_every_image_is_on_the_disk_before_the_dataset_appears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = noted(monkeypatch)
    import_folder(tmp_path, pictures(["train/a/1.jpg", "test/b/2.jpg"]))
    assert is_synced_around_rename(calls, tmp_path / "made")


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImages):
        import_folder(tmp_path, pictures(["train/a/1.jpg"]) | {"train/a/2.jpg": b""})
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_an_interruption_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupt(step: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    sources = [write_folder(tmp_path / "in", pictures(["train/a/1.jpg"]))]
    with pytest.raises(KeyboardInterrupt):
        import_dataset(
            format="class_folder",
            sources=sources,
            destination=tmp_path / "deep" / "made",
            name="tiny",
            options=ImportOptions(),
            progress=interrupt,
        )
    assert list((tmp_path / "deep").iterdir()) == []


def test_progress_is_told_up_to_the_last_image(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    import_dataset(
        format="class_folder",
        sources=[write_folder(tmp_path / "in", pictures(f"train/a/{n}.jpg" for n in range(150)))],
        destination=tmp_path / "made",
        name="tiny",
        options=ImportOptions(),
        progress=lambda step, done, total: told.append((step, done, total)),
    )
    assert told == [("copy images", 100, 150), ("copy images", 150, 150)]


def test_an_unknown_format_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match=r"given format 'coco'; expected one of class_folder"):
        imported(tmp_path, [], "coco")


def test_labels_named_after_a_column_of_the_metadata_are_refused(tmp_path: Path) -> None:
    files = pictures(["a.jpg"]) | {
        "metadata.csv": b"file_name,split,label,joy\na.jpg,train,1,2\n",
        "dataset.json": b'{"label_sets": {"distribution": {"names": ["label", "joy"]}}}',
    }
    with pytest.raises(BadLayout, match="labels named label; the metadata needs these as columns"):
        imported(tmp_path, [write_folder(tmp_path / "in", files)], "canonical")


def test_a_hostile_zip_writes_nothing(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("train/a/1.jpg", picture(1))
        archive.writestr("train/../../../a/2.jpg", picture(2))
    with pytest.raises(UnsafePath):
        imported(tmp_path, [tmp_path / "evil.zip"], "class_folder")
    assert [path.name for path in tmp_path.iterdir()] == ["evil.zip"]


def test_importing_needs_no_torch() -> None:
    code = "import sys, training.data.importing; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
