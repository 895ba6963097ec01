from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from models.labels import EMOTION6, MIKELS, LabelSet, Polarity, UnknownLabel

NAMES = st.lists(
    st.text("jo\u00ffy \u559c", min_size=1).filter(str.strip), min_size=1, max_size=8, unique=True
)


@settings(max_examples=40, deadline=None)
@given(NAMES)
def test_names_keep_their_order_and_each_its_position(names: list[str]) -> None:
    labels = LabelSet(names=tuple(names))
    assert labels.names == tuple(names)
    assert len(labels) == len(names)
    assert labels.indices(names) == tuple(range(len(names)))


@settings(max_examples=40, deadline=None)
@given(NAMES)
def test_label_set_survives_json(names: list[str]) -> None:
    labels = LabelSet(names=tuple(names), polarity=(Polarity.NEUTRAL,) * len(names))
    assert LabelSet.model_validate_json(labels.model_dump_json()) == labels


def test_positions_come_in_the_order_asked_for() -> None:
    labels = LabelSet(names=("joy", "fear", "awe"))
    assert labels.indices(["awe", "joy", "awe"]) == (2, 0, 2)
    assert labels.indices([]) == ()


@pytest.mark.parametrize("unknown", ["Joy", "joy ", "", "jo"])
def test_unknown_label_names_the_known_ones(unknown: str) -> None:
    labels = LabelSet(names=("joy", "fear"))
    with pytest.raises(UnknownLabel) as caught:
        labels.index(unknown)
    assert str(caught.value) == f"unknown label {unknown!r}; known labels: joy, fear"
    with pytest.raises(UnknownLabel):
        labels.indices(["joy", unknown])


def test_repeated_names_are_refused_and_listed() -> None:
    with pytest.raises(ValidationError, match="must be distinct; repeated: awe, joy ") as caught:
        LabelSet(names=("joy", "awe", "fear", "joy", "awe"))
    assert caught.value.error_count() == 1


@pytest.mark.parametrize("names", [(), ("",), ("joy", "  "), ("\t\n",)])
def test_blank_and_absent_names_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError, match="at least one name, and no name may be blank"):
        LabelSet(names=names)


@pytest.mark.parametrize("names", [{"joy", "fear"}, frozenset({"joy"}), {"joy": 1}.keys()])
def test_a_set_of_names_is_refused_for_it_has_no_order(names: Iterable[str]) -> None:
    given: Any = names
    with pytest.raises(ValidationError, match="a set has none"):
        LabelSet(names=given)


def test_one_string_is_not_taken_for_its_letters() -> None:
    given: Any = "joy"
    with pytest.raises(ValidationError):
        LabelSet(names=given)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_polarities_must_be_as_many_as_names(count: int) -> None:
    with pytest.raises(ValidationError, match=f"{count} polarities for 2 label names"):
        LabelSet(names=("joy", "fear"), polarity=(Polarity.NEUTRAL,) * count)


def test_polarity_may_be_unknown() -> None:
    assert LabelSet(names=("joy",)).polarity is None


def test_label_set_is_frozen_and_knows_no_other_field() -> None:
    labels: Any = LabelSet(names=("joy",))
    with pytest.raises(ValidationError, match="frozen"):
        labels.names = ("fear",)
    with pytest.raises(ValidationError, match="Extra inputs"):
        LabelSet.model_validate({"names": ["joy"], "colours": ["red"]})


def test_mikels_emotions_are_in_alphabetical_order_with_their_polarity() -> None:
    assert _written(MIKELS) == (
        "amusement positive, anger negative, awe positive, contentment positive, "
        "disgust negative, excitement positive, fear negative, sadness negative"
    )
    assert list(MIKELS.names) == sorted(MIKELS.names)


def test_emotion6_is_in_its_column_order_with_its_polarity() -> None:
    assert _written(EMOTION6) == (
        "anger negative, disgust negative, fear negative, joy positive, "
        "sadness negative, surprise neutral, neutral neutral"
    )


def _written(labels: LabelSet) -> str:
    assert labels.polarity is not None
    return ", ".join(f"{n} {p}" for n, p in zip(labels.names, labels.polarity, strict=True))
