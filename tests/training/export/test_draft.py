"""A bundle in the making is a bundle after each step."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from models.bundle import BrokenBundle, Bundle
from models.manifest import Gate, Lineage, Precision
from tests.tiny_bundle import SPEC, tiny_graph, tiny_outputs
from training.export.draft import Draft

GATE = Gate(name="fp32_parity", passed=True, measured={"a": 0.5}, limits={"a": 1.0})


@pytest.fixture
def draft(tmp_path: Path) -> Draft:
    """A draft with its float32 graph."""
    lineage = Lineage(
        code_version="test", backbone="none", config={}, datasets=(), weights_sha256="0" * 64
    )
    made = Draft(tmp_path, "tiny", "7", tiny_outputs(), SPEC, lineage)
    onnx.save(tiny_graph(tiny_outputs()), made.graph_path(Precision.FP32))
    return made


def test_session_answers_as_the_published_bundle_will(draft: Draft) -> None:
    red = np.zeros((1, *SPEC.input_shape), np.float32)
    red[:, 0] = 1.0
    scores = draft.session(Precision.FP32).run(red)["single"][0]
    assert scores == pytest.approx([np.e / (np.e + 2), 1 / (np.e + 2), 1 / (np.e + 2)])


def test_manifest_names_the_graphs_that_are_there(draft: Draft) -> None:
    def precisions() -> list[Precision]:
        draft.write(notes="", gates=(), evaluations=())
        return [graph.precision for graph in Bundle.open(draft.folder).manifest.graphs]

    assert precisions() == [Precision.FP32]
    int8 = draft.graph_path(Precision.INT8)
    int8.write_bytes(draft.graph_path(Precision.FP32).read_bytes())
    assert precisions() == [Precision.FP32, Precision.INT8]
    int8.unlink()
    assert precisions() == [Precision.FP32]


def test_last_words_are_in_manifest_and_card(draft: Draft) -> None:
    draft.session(Precision.FP32)
    draft.write(notes="For *colours*.", gates=(GATE,), evaluations=())
    bundle = Bundle.open(draft.folder)
    assert bundle.label == "tiny@7"
    assert bundle.manifest.gates == (GATE,)
    assert "For *colours*." in bundle.card()
    assert "`fp32_parity` passed: a 0.5" in bundle.card()


def test_graph_of_other_outputs_opens_no_session(draft: Draft) -> None:
    onnx.save(tiny_graph(tiny_outputs()[:1]), draft.graph_path(Precision.FP32))
    with pytest.raises(BrokenBundle, match="has no tensor 'multi'"):
        draft.session(Precision.FP32)
