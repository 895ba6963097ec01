"""`sentiscope predict` on real photos."""

import json
from pathlib import Path
from typing import Any

import pytest

from models.registry import Registry
from tests.sentiscope.command_line import PHOTOS, refusal, sentiscope
from tests.sentiscope.conftest import Workshop
from tests.tiny_bundle import tiny_writer


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with the model `tiny`, whose three outputs are colours."""
    root = tmp_path_factory.mktemp("models")
    registry = Registry(root)
    registry.publish("tiny", tiny_writer("tiny"))
    registry.set_alias("tiny", "production", version="1")
    return root


def answers(*arguments: object) -> list[dict[str, Any]]:
    """One answer a line."""
    result = sentiscope("predict", "--json", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_model_that_was_trained_and_exported_answers_for_photos(workshop: Workshop) -> None:
    found = answers("--model", "colours", "--root", workshop.models, *PHOTOS)
    assert [each["file"] for each in found] == [str(photo) for photo in PHOTOS]
    for each in found:
        assert each.keys() == {"file", "single", "multi", "distribution"}
        for kind in ("single", "distribution"):
            assert sum(s["score"] for s in each[kind]["scores"]) == pytest.approx(1, abs=1e-6)


def test_photo_is_named_above_its_outputs(root: Path) -> None:
    result = sentiscope("predict", "--model", "tiny", "--root", root, PHOTOS[0])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == str(PHOTOS[0])
    assert [line.split()[0] for line in lines[1:]] == ["single", "multi", "distribution"]


def test_text_says_what_json_says(root: Path) -> None:
    (found,) = answers("--model", "tiny", "--root", root, PHOTOS[2])
    result = sentiscope("predict", "--model", "tiny", "--root", root, PHOTOS[2])
    shown = {
        kind: ", ".join(f"{s['label']} {s['score']:.2f}" for s in found[kind]["scores"])
        for kind in ("single", "multi", "distribution")
    }
    selected = " + ".join(found["multi"]["labels"]) or "none"
    assert result.stdout.splitlines()[1:] == [
        f"  single       {shown['single']}",
        f"  multi        {selected}  ({shown['multi']})",
        f"  distribution {shown['distribution']}",
    ]


def test_top_k_cuts_the_scores_and_nothing_else(root: Path) -> None:
    (whole,) = answers("--model", "tiny", "--root", root, PHOTOS[0])
    (cut,) = answers("--model", "tiny", "--root", root, "--top-k", 1, PHOTOS[0])
    for kind in ("single", "multi", "distribution"):
        assert cut[kind]["scores"] == whole[kind]["scores"][:1]
        assert {**cut[kind], "scores": []} == {**whole[kind], "scores": []}


@pytest.mark.parametrize("top_k", [0, -1, "many"])
def test_top_k_that_keeps_nothing_is_refused(root: Path, top_k: object) -> None:
    result = sentiscope("predict", "--model", "tiny", "--root", root, "--top-k", top_k, PHOTOS[0])
    assert result.exit_code == 2
    assert "--top-k" in result.stderr


def test_bad_images_are_named_and_the_others_answered(root: Path, tmp_path: Path) -> None:
    words, cut, missing = tmp_path / "words.png", tmp_path / "cut.png", tmp_path / "missing.png"
    words.write_text("no picture", encoding="utf-8")
    cut.write_bytes(PHOTOS[0].read_bytes()[:5000])
    images = (PHOTOS[0], words, cut, missing, tmp_path, PHOTOS[1])
    result = sentiscope("predict", "--json", "--model", "tiny", "--root", root, *images)
    assert result.exit_code == 1
    answered = [json.loads(line)["file"] for line in result.stdout.splitlines()]
    assert answered == [str(PHOTOS[0]), str(PHOTOS[1])]
    told = dict(line.split(": ", 1) for line in result.stderr.splitlines())
    assert list(told) == [str(each) for each in (words, cut, missing, tmp_path)]
    assert "not an image of a supported format" in told[str(words)]
    assert "truncated or damaged" in told[str(cut)]
    assert "No such file" in told[str(missing)]
    assert "Is a directory" in told[str(tmp_path)]


def test_version_and_alias_choose_the_model(root: Path) -> None:
    by_version = answers("--model", "tiny@1", "--root", root, PHOTOS[0])
    assert by_version == answers("--model", "tiny@production", "--root", root, PHOTOS[0])


@pytest.mark.parametrize("model", ["none", "tiny@2", "tiny@candidate", "Not a name"])
def test_model_that_is_not_there_is_one_line(root: Path, model: str) -> None:
    reason = refusal("predict", "--model", model, "--root", root, PHOTOS[0])
    assert model.rpartition("@")[2] in reason
    assert "\n" not in reason
