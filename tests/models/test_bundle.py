import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from models.bundle import (
    CARD,
    DIGEST,
    MANIFEST,
    BrokenBundle,
    Bundle,
    PrecisionMissing,
    file_sha256,
    write_manifest,
)
from models.errors import ModelError
from models.manifest import Manifest, Precision
from tests.tiny_bundle import write_tiny_bundle

GRAPH = "model.onnx"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good bundle."""
    path = tmp_path / "tiny" / "1"
    write_tiny_bundle(path)
    return path


def _reason(folder: Path) -> str:
    """Why the bundle is refused; in no case may it tell where on the host it lies."""
    with pytest.raises(BrokenBundle) as caught:
        Bundle.open(folder)
    message = str(caught.value)
    assert message.startswith("bundle tiny/1 is refused: ")
    assert str(folder.parents[1]) not in message
    return message


def _edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the manifest as someone would who knows of the digest."""
    raw = json.loads((folder / MANIFEST).read_bytes())
    change(raw)
    _replace(folder, json.dumps(raw).encode())


def _replace(folder: Path, manifest: bytes) -> None:
    (folder / MANIFEST).write_bytes(manifest)
    (folder / DIGEST).write_text(sha256(manifest).hexdigest())


def test_a_whole_bundle_opens(folder: Path) -> None:
    bundle = Bundle.open(folder)
    assert bundle.path == folder
    assert bundle.label == "tiny@1"
    assert bundle.manifest == Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    assert bundle.digest == sha256((folder / MANIFEST).read_bytes()).hexdigest()
    assert bundle.graph_path(Precision.FP32) == folder / GRAPH
    assert bundle.graph(Precision.FP32).sha256 == sha256((folder / GRAPH).read_bytes()).hexdigest()
    assert bundle.card().startswith("# tiny\n")


def test_same_content_has_the_same_digest_and_other_content_another(
    folder: Path, tmp_path: Path
) -> None:
    write_tiny_bundle(tmp_path / "copy" / "tiny" / "1")
    write_tiny_bundle(tmp_path / "copy" / "tiny" / "2", version="2")
    same, other = (Bundle.open(tmp_path / "copy" / "tiny" / v).digest for v in "12")
    assert Bundle.open(folder).digest == same != other


def test_a_precision_that_is_not_there_is_named_with_those_that_are(folder: Path) -> None:
    with pytest.raises(PrecisionMissing) as caught:
        Bundle.open(folder).graph_path(Precision.INT8)
    assert str(caught.value) == "tiny@1 has no int8 graph; it has: fp32"


def test_a_second_graph_is_verified_too(folder: Path) -> None:
    manifest = Bundle.open(folder).manifest
    (folder / "model.int8.onnx").write_bytes((folder / GRAPH).read_bytes())
    update = {"precision": Precision.INT8, "file": "model.int8.onnx"}
    graphs = (*manifest.graphs, manifest.graphs[0].model_copy(update=update))
    write_manifest(folder, manifest.model_copy(update={"graphs": graphs}))
    assert Bundle.open(folder).graph_path(Precision.INT8).name == "model.int8.onnx"
    (folder / "model.int8.onnx").unlink()
    assert "model.int8.onnx is missing" in _reason(folder)


@pytest.mark.parametrize("name", [MANIFEST, DIGEST])
def test_a_missing_manifest_or_digest_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert f"{name} cannot be read (No such file or directory)" in _reason(folder)


@pytest.mark.parametrize("name", [GRAPH, CARD])
def test_a_missing_graph_or_card_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert f"{name} is missing or not a plain file" in _reason(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert f"{MANIFEST} cannot be read" in _reason(tmp_path / "tiny" / "1")


def test_a_truncated_graph_is_refused_with_both_sizes(folder: Path) -> None:
    whole = (folder / GRAPH).read_bytes()
    (folder / GRAPH).write_bytes(whole[:-1])
    size = len(whole)
    assert f"{GRAPH} has {size - 1} bytes, the manifest says {size}" in _reason(folder)


@pytest.mark.parametrize("place", [0, -1])
def test_one_flipped_bit_in_the_graph_is_refused(folder: Path, place: int) -> None:
    content = bytearray((folder / GRAPH).read_bytes())
    content[place] ^= 1
    (folder / GRAPH).write_bytes(content)
    assert f"{GRAPH} was changed: its SHA-256 is not the manifest's" in _reason(folder)


def test_an_edited_threshold_is_refused(folder: Path) -> None:
    manifest = (folder / MANIFEST).read_text()
    assert "0.6" in manifest
    (folder / MANIFEST).write_text(manifest.replace("0.6", "0.5", 1))
    assert f"{MANIFEST} was changed: its SHA-256 is not the one in {DIGEST}" in _reason(folder)


def test_an_edited_card_is_refused(folder: Path) -> None:
    with (folder / CARD).open("a") as file:
        file.write("Nothing can go wrong.\n")
    assert f"{CARD} was changed" in _reason(folder)


@pytest.mark.parametrize("digest", [b"", b"0" * 64, b"\xff\xfe"])
def test_a_digest_that_is_not_the_manifests_is_refused(folder: Path, digest: bytes) -> None:
    (folder / DIGEST).write_bytes(digest)
    assert f"{MANIFEST} was changed" in _reason(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe\x00", b'{"name": "a"}'])
def test_a_manifest_that_is_none_is_refused(folder: Path, content: bytes) -> None:
    _replace(folder, content)
    assert f"{MANIFEST} is not valid" in _reason(folder)


@pytest.mark.parametrize("file", ["../1/model.onnx", "/etc/passwd.onnx", "sub/model.onnx"])
def test_a_graph_outside_the_bundle_is_refused(folder: Path, file: str) -> None:
    _edit(folder, lambda raw: raw["graphs"][0].update(file=file))
    assert "graphs.0.file" in _reason(folder)


def test_a_bias_that_is_no_number_is_refused(folder: Path) -> None:
    _edit(folder, lambda raw: raw["outputs"][0]["bias"].__setitem__(0, None))
    assert "outputs.0.bias.0" in _reason(folder)


def test_an_unknown_field_is_refused(folder: Path) -> None:
    _edit(folder, lambda raw: raw.update(surprise=1))
    assert "surprise" in _reason(folder)


@pytest.mark.parametrize("name", [GRAPH, CARD])
def test_a_link_in_place_of_a_file_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    assert f"{name} is missing or not a plain file" in _reason(folder)


def test_a_folder_in_place_of_a_graph_is_refused(folder: Path) -> None:
    (folder / GRAPH).unlink()
    (folder / GRAPH).mkdir()
    assert f"{GRAPH} is missing or not a plain file" in _reason(folder)


@pytest.mark.parametrize("stray", ["model.onnx.data", ".hidden", "model.int8.onnx"])
def test_a_file_that_no_checksum_covers_is_refused(folder: Path, stray: str) -> None:
    (folder / stray).write_bytes(b"weights")
    assert f"{stray} does not belong to it" in _reason(folder)


def test_every_refusal_is_a_model_error() -> None:
    assert issubclass(BrokenBundle, ModelError)
    assert issubclass(PrecisionMissing, ModelError)
    assert str(BrokenBundle()) == "The folder is not a whole, untouched bundle."


def test_checksum_of_a_file_is_sha256_in_hexadecimal_digits(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert file_sha256(tmp_path / "abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2
    )
