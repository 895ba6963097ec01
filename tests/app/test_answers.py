import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answers import answer, conformal_set, entropy, shortest
from app.schemas import Distribution, Multi, Single
from models.labels import LabelKind
from models.manifest import Output
from tests.tiny_bundle import tiny_outputs

SINGLE, MULTI, DISTRIBUTION = tiny_outputs()
SCORES = np.array([0.2, 0.7, 0.1], np.float32)


def test_scores_are_sorted_and_named() -> None:
    found = answer(SINGLE, SCORES, top_k=None)
    assert isinstance(found, Single)
    assert (found.label, found.score) == ("green", 0.7)
    assert [score.label for score in found.scores] == ["green", "red", "blue"]


def test_equal_scores_stay_in_the_order_of_the_labels() -> None:
    found = answer(SINGLE, np.full(3, 1 / 3, np.float32), top_k=None)
    assert [score.label for score in found.scores] == ["red", "green", "blue"]


@pytest.mark.parametrize("output", tiny_outputs(), ids=lambda output: output.kind)
def test_top_k_cuts_scores_and_nothing_else(output: Output) -> None:
    whole = answer(output, SCORES, top_k=None).model_dump()
    cut = answer(output, SCORES, top_k=2).model_dump()
    assert cut.pop("scores") == whole.pop("scores")[:2]
    assert cut == whole


def test_a_top_k_beyond_the_labels_keeps_all() -> None:
    assert len(answer(SINGLE, SCORES, top_k=99).scores) == 3


def test_labels_are_selected_at_their_threshold_even_beyond_top_k() -> None:
    found = answer(MULTI, np.array([0.6, 0.59, 0.9], np.float32), top_k=1)
    assert isinstance(found, Multi)
    assert found.labels == ["blue", "red"]
    assert [(score.label, score.selected) for score in found.scores] == [("blue", True)]


def test_entropy_is_in_nats_and_over_all_labels() -> None:
    found = answer(DISTRIBUTION, np.array([0.5, 0.25, 0.25], np.float32), top_k=1)
    assert isinstance(found, Distribution)
    assert found.dominant == "red"
    assert found.entropy == pytest.approx(1.5 * math.log(2))


def test_entropy_of_a_certain_answer_is_zero() -> None:
    assert entropy(np.array([0, 1, 0], np.float32)) == 0
    assert math.copysign(1, entropy(np.array([0, 1, 0], np.float32))) == 1


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_printed_score_is_the_same_float32(value: float) -> None:
    assert np.float32(shortest(np.float32(value))) == np.float32(value)


def test_every_kind_of_label_has_an_answer() -> None:
    assert {output.kind for output in tiny_outputs()} == set(LabelKind)


def test_conformal_set_is_what_reaches_its_threshold_and_never_empty() -> None:
    wide, narrow = SINGLE.label_sets
    scores = np.array([0.34, 0.36, 0.3], np.float32)
    assert conformal_set(SINGLE, scores, wide).labels == ["green", "red", "blue"]
    assert conformal_set(SINGLE, SCORES, wide).labels == ["green"]
    assert conformal_set(SINGLE, SCORES, narrow).labels == ["green"]
    assert conformal_set(SINGLE, SCORES, narrow).coverage == 0.5
