"""`sentiscope predict` on real photos: what it prints and writes, with a service and without."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from models.registry import Registry
from sentiscope.local import LocalModel
from sentiscope.results.columns import ModelChanged, Rows
from tests.app.client import publish_tiny
from tests.sentiscope.command_line import PHOTOS, refusal, sentiscope
from tests.sentiscope.conftest import Workshop
from tests.sentiscope.on_a_port import tiny_service
from tests.tiny_bundle import tiny_writer

KINDS = ("single", "multi", "distribution")
SUPPORTED = "not an image of a supported format"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos in a folder and one below it, and what is no photo."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "more").mkdir()
    (folder / ".hidden").mkdir()
    for photo, place in zip(PHOTOS, ("b.png", "more/c.PNG", ".hidden/d.jpg"), strict=True):
        (folder / place).write_bytes(photo.read_bytes())
    (folder / "a.jpg").write_text("no picture", encoding="utf-8")
    (folder / "notes.txt").write_text("no picture either", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with the model `tiny`, whose three outputs are colours."""
    root = tmp_path_factory.mktemp("models")
    registry = Registry(root)
    registry.publish("tiny", tiny_writer("tiny"))
    registry.set_alias("tiny", "production", version="1")
    return root


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that answers with `tiny`."""
    with tiny_service(tmp_path_factory.mktemp("service")) as url:
        yield url


def answers(*arguments: object) -> list[dict[str, Any]]:
    """One answer a line."""
    result = sentiscope("predict", "--jsonl", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_model_that_was_trained_and_exported_answers_for_photos(workshop: Workshop) -> None:
    found = answers("--model", "colours", "--root", workshop.models, *PHOTOS)
    assert [each["file"] for each in found] == [str(photo) for photo in PHOTOS]
    for each in found:
        assert each.keys() == {"file", "model", "image", *KINDS}
        for kind in ("single", "distribution"):
            assert sum(s["score"] for s in each[kind]["scores"]) == pytest.approx(1, abs=1e-6)


def test_service_and_this_machine_say_the_same(root: Path, url: str, folder: Path) -> None:
    options = (PHOTOS[0], folder, "--json", "--coverage", "0.9")
    here = sentiscope("predict", *options, "--model", "tiny", "--root", root)
    there = sentiscope("predict", *options, "--url", url)
    assert here.exit_code == there.exit_code == 1
    mine, its = (json.loads(result.stdout) for result in (here, there))
    assert len(mine) == 4
    for one, other in zip(mine, its, strict=True):
        assert one.pop("error", {}).get("detail") == other.pop("error", {}).get("detail")
        for found in (one, other):
            found.pop("model", None)  # its digest hangs on when it was made
            found.get("image", {}).pop("filename", None)
        assert one == other


def test_folders_are_walked_in_order_and_named_files_tried_whatever_they_are(
    root: Path, folder: Path
) -> None:
    arguments = (folder, folder / "notes.txt", "--jsonl", "--model", "tiny", "--root", root)
    result = sentiscope("predict", *arguments)
    files = [json.loads(line)["file"] for line in result.stdout.splitlines()]
    assert files == [str(folder / n) for n in ("a.jpg", "b.png", "more/c.PNG", "notes.txt")]


def test_folder_without_images_is_named(root: Path, tmp_path: Path) -> None:
    assert f"{tmp_path} has no image below it" in refusal("predict", tmp_path, "--root", root)


def test_table_says_what_json_says(root: Path) -> None:
    (found,) = answers("--model", "tiny", "--root", root, PHOTOS[2])
    result = sentiscope("predict", "--model", "tiny", "--root", root, PHOTOS[2])
    header, line = result.stdout.splitlines()
    assert header.split() == ["FILE", "SINGLE", "MULTI", "DISTRIBUTION"]
    shares = ", ".join(f"{s['label']} {s['score']:.2f}" for s in found["distribution"]["scores"])
    assert [cell.strip() for cell in line.split("  ")] == [
        str(PHOTOS[2]),
        f"{found['single']['label']} {found['single']['score']:.2f}",
        " + ".join(found["multi"]["labels"]) or "none",
        shares,
    ]


def test_columns_of_the_table_stand_below_their_names(root: Path, folder: Path) -> None:
    result = sentiscope("predict", "--model", "tiny", "--root", root, folder, PHOTOS[0])
    header, bad, *good = result.stdout.splitlines()
    assert SUPPORTED in bad
    assert result.stderr == "1 of 4 images failed\n"
    assert len(good) == 3
    for name in ("SINGLE", "MULTI", "DISTRIBUTION"):
        assert {line[header.index(name) - 2 :][:2] for line in good} == {"  "}


def test_csv_has_a_column_a_label_and_a_row_an_image(root: Path, folder: Path) -> None:
    given = ("predict", folder, "--model", "tiny", "--root", root, "--coverage", 0.9)
    result = sentiscope(*given, "--csv", "-")
    bad, *good = csv.DictReader(io.StringIO(result.stdout))
    assert list(bad) == [
        *("file", "model", "version", "single_label", "single_score", "single_set"),
        *(f"single.{colour}" for colour in ("blue", "green", "red")),
        *("multi_labels", *(f"multi.{colour}" for colour in ("blue", "green", "red"))),
        *("distribution_dominant", "distribution_entropy"),
        *(f"distribution.{colour}" for colour in ("blue", "green", "red")),
        "error",
    ]
    assert (bad["file"], bad["single_label"]) == (str(folder / "a.jpg"), "")
    assert SUPPORTED in bad["error"]
    whole = json.loads(sentiscope(*given, "--json").stdout)
    for row, found in zip(good, whole[1:], strict=True):
        assert row["model"] == "tiny"
        assert row["version"] == "1"
        assert row["error"] == ""
        assert float(row["single_score"]) == found["single"]["score"]
        assert row["single_set"] == "|".join(found["single"]["set"]["labels"])
        assert float(row["distribution_entropy"]) == found["distribution"]["entropy"]
        for kind in KINDS:
            for score in found[kind]["scores"]:
                assert float(row[f"{kind}.{score['label']}"]) == score["score"]


def test_parquet_holds_what_csv_holds(root: Path, folder: Path, tmp_path: Path) -> None:
    given = ("predict", folder, PHOTOS[0], "--model", "tiny", "--root", root)
    assert sentiscope(*given, "--csv", tmp_path / "a.csv").exit_code == 1
    assert sentiscope(*given, "--parquet", tmp_path / "a.parquet").exit_code == 1
    rows = pyarrow.parquet.read_table(tmp_path / "a.parquet").to_pylist()
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        expected = list(csv.DictReader(file))
    assert len(rows) == 4
    for row, text in zip(rows, expected, strict=True):
        assert list(row) == list(text)
        as_text = {
            name: "|".join(cell) if isinstance(cell, list) else "" if cell is None else str(cell)
            for name, cell in row.items()
        }
        assert as_text == text


def test_parquet_file_that_cannot_be_written_is_told_before_any_image_is_asked_for(
    root: Path, tmp_path: Path
) -> None:
    given = ("predict", PHOTOS[0], "--model", "tiny", "--root", root)
    reason = refusal(*given, "--parquet", tmp_path / "none" / "a.parquet")
    assert "No such file or directory" in reason


def test_where_nothing_could_be_answered_the_errors_are_written(
    root: Path, folder: Path, tmp_path: Path
) -> None:
    given = ("predict", folder / "a.jpg", "--model", "tiny", "--root", root)
    lines = sentiscope(*given, "--csv", "-").stdout.splitlines()
    assert lines[0] == "file,error"
    assert len(lines) == 2
    assert sentiscope(*given, "--parquet", tmp_path / "a.parquet").exit_code == 1
    (row,) = pyarrow.parquet.read_table(tmp_path / "a.parquet").to_pylist()
    assert row["file"] == str(folder / "a.jpg")


_WITHOUT_PYARROW = """
import sys
sys.modules["pyarrow"] = None
from sentiscope.cli import main
sys.argv = ["sentiscope", "predict", *sys.argv[1:]]
main()
"""


def test_without_pyarrow_parquet_says_what_to_install(root: Path, tmp_path: Path) -> None:
    options = ("--model", "tiny", "--root", root, "--parquet", tmp_path / "a.parquet")
    command = [sys.executable, "-c", _WITHOUT_PYARROW, str(PHOTOS[0]), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "the 'parquet' extra" in done.stderr
    assert done.stderr.count("\n") == 1


# Python may be interrupted between opening a file and entering its `with`.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("form", ["--json", "--csv", "--parquet"])
def test_what_was_written_is_whole_after_ctrl_c(
    root: Path, folder: Path, tmp_path: Path, form: str
) -> None:
    never = tmp_path / "never.jpg"
    os.mkfifo(never)

    def stop() -> None:
        """Once it is read, which waits for somebody who writes."""
        with never.open("wb"):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    done = [folder / "b.png"] * 100
    given = ("predict", *done, never, PHOTOS[0], "--model", "tiny", "--root", root, form)
    file = tmp_path / "out"
    stopper = threading.Thread(target=stop)
    stopper.start()
    result = sentiscope(*given, *(() if form == "--json" else (file,)))
    stopper.join()
    assert result.exit_code == 130
    assert "stopped after" in result.stderr
    match form:
        case "--json":
            rows = json.loads(result.stdout)
        case "--csv":
            rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
        case _:
            rows = pyarrow.parquet.read_table(file).to_pylist()
    assert 0 < len(rows) <= len(done)
    assert {row["file"] for row in rows} == {str(folder / "b.png")}


def test_outputs_that_are_asked_for_are_the_only_ones(root: Path, url: str) -> None:
    for where in (("--root", root, "--model", "tiny"), ("--url", url)):
        (found,) = answers(PHOTOS[0], "--outputs", "multi,single", *where)
        assert found.keys() & set(KINDS) == {"single", "multi"}


@pytest.mark.parametrize(
    "options", [("--outputs", "taste"), ("--coverage", "0.3"), ("--coverage", "7")], ids=str
)
def test_option_that_the_model_cannot_answer_is_one_line(
    root: Path, url: str, options: tuple[str, str]
) -> None:
    for where in (("--root", root, "--model", "tiny"), ("--url", url)):
        reason = refusal("predict", PHOTOS[0], *options, *where)
        assert options[0].strip("-") in reason
        assert "\n" not in reason


def test_top_k_cuts_the_scores_and_nothing_else(root: Path) -> None:
    (whole,) = answers("--model", "tiny", "--root", root, PHOTOS[0])
    (cut,) = answers("--model", "tiny", "--root", root, "--top-k", 1, PHOTOS[0])
    for kind in KINDS:
        assert cut[kind]["scores"] == whole[kind]["scores"][:1]
        assert {**cut[kind], "scores": []} == {**whole[kind], "scores": []}
    assert "--top-k" in refusal("predict", PHOTOS[0], "--top-k", 1, "--csv", "-")


@pytest.mark.parametrize("top_k", [0, -1, "many"])
def test_top_k_that_keeps_nothing_is_refused(root: Path, top_k: object) -> None:
    result = sentiscope("predict", "--model", "tiny", "--root", root, "--top-k", top_k, PHOTOS[0])
    assert result.exit_code == 2
    assert "--top-k" in result.stderr


def test_bad_images_are_rows_with_their_errors_and_the_others_are_answered(
    root: Path, tmp_path: Path
) -> None:
    words, cut, missing = tmp_path / "words.png", tmp_path / "cut.png", tmp_path / "missing.png"
    words.write_text("no picture", encoding="utf-8")
    cut.write_bytes(PHOTOS[0].read_bytes()[:5000])
    images = (PHOTOS[0], words, cut, missing, PHOTOS[1])
    result = sentiscope("predict", "--json", "--model", "tiny", "--root", root, *images)
    assert (result.exit_code, result.stderr) == (1, "3 of 5 images failed\n")
    found = {each["file"]: each for each in json.loads(result.stdout)}
    assert list(found) == [str(each) for each in images]
    assert [file for file, each in found.items() if "single" in each] == [*map(str, PHOTOS[:2])]
    assert SUPPORTED in found[str(words)]["error"]["detail"]
    assert "truncated or damaged" in found[str(cut)]["error"]["detail"]
    assert "No such file" in found[str(missing)]["error"]["detail"]


def test_version_and_alias_choose_the_model(root: Path) -> None:
    by_version = answers("--model", "tiny@1", "--root", root, PHOTOS[0])
    assert by_version == answers("--model", "tiny@production", "--root", root, PHOTOS[0])


@pytest.mark.parametrize("model", ["none", "tiny@2", "tiny@candidate", "Not a name"])
def test_model_that_is_not_there_is_one_line(root: Path, url: str, model: str) -> None:
    for where in (("--root", root), ("--url", url)):
        reason = refusal("predict", "--model", model, PHOTOS[0], *where)
        assert model.rpartition("@")[2] in reason
        assert "\n" not in reason


def test_model_that_changes_under_way_makes_no_row_of_the_same_table(root: Path) -> None:
    registry = publish_tiny(root.parent / "two", "tiny")
    registry.publish("tiny", tiny_writer("tiny"))
    rows = Rows()
    for version in ("1", "2"):
        model = LocalModel.open(f"tiny@{version}", root=registry.root)
        answer = model.predict(PHOTOS[0].read_bytes(), source="a.png")
        if version == "1":
            assert [row["file"] for row in rows.of(answer)] == ["a.png"]
        else:
            with pytest.raises(ModelChanged, match="tiny@1 answered first and now tiny@2"):
                rows.of(answer)


def test_two_forms_at_once_are_refused(root: Path) -> None:
    given = refusal("predict", PHOTOS[0], "--json", "--csv", "-")
    assert given == "given --json and --csv; expected one of them"


def test_person_at_a_terminal_sees_a_bar_beside_the_table(root: Path) -> None:
    leader, follower = os.openpty()
    command = [sys.executable, "-m", "sentiscope", "predict", *map(str, PHOTOS)]
    given = ("--model", "tiny", "--root", str(root))
    done = subprocess.run([*command, *given], stdout=subprocess.PIPE, stderr=follower, check=True)
    os.close(follower)
    shown = os.read(leader, 65536).decode()
    os.close(leader)
    assert "predicting" in shown
    assert "100%" in shown
    assert len(done.stdout.splitlines()) == 1 + len(PHOTOS)


def test_reader_that_has_read_enough_is_no_error(root: Path) -> None:
    command = [sys.executable, "-m", "sentiscope", "predict", *([str(PHOTOS[2])] * 50)]
    given = ("--jsonl", "--model", "tiny", "--root", str(root))
    pipe = subprocess.PIPE
    with subprocess.Popen([*command, *given], stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout
        assert process.stderr
        assert json.loads(process.stdout.readline())["file"] == str(PHOTOS[2])
        process.stdout.close()
        assert process.stderr.read() == ""
