"""Answers as rows; `docs/client.md` describes the columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Self, TypeAlias

from sentiscope.results.document import file_of
from sentiscope.service.errors import SentiscopeError
from sentiscope.service.prediction import Answer, FailedPrediction, ModelVersion, Prediction

Cell: TypeAlias = str | float | tuple[str, ...]
Row: TypeAlias = Mapping[str, Cell]
"""The cells that are filled, by column."""


class ModelChanged(SentiscopeError):
    """Another model answered all of a sudden."""


class Kind(Enum):
    """What a column holds."""

    TEXT = "text"
    NUMBER = "number"
    TEXTS = "texts"


_FAILED: Mapping[str, Kind] = dict.fromkeys(("file", "error"), Kind.TEXT)
"""The columns where nothing but errors came."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one model's answers, in order."""

    model: ModelVersion
    kinds: Mapping[str, Kind]

    @classmethod
    def of(cls, prediction: Prediction) -> Self:
        """Those that hold an answer such as this."""
        text = dict.fromkeys(("file", "model", "version"), Kind.TEXT)
        found = {name: _kind(cell) for name, cell in _facts(prediction)}
        return cls(prediction.model, {**text, **found, "error": Kind.TEXT})


class Rows:
    """Rows of one table; its columns are those of the first prediction, which all wait for."""

    def __init__(self) -> None:
        self._columns: Columns | None = None
        self._waiting: list[Row] = []

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """The columns, once `of` or `left` has given rows."""
        return self._columns.kinds if self._columns else _FAILED

    def of(self, answer: Answer) -> list[Row]:
        """The rows that can be written now; raises ModelChanged."""
        if isinstance(answer, FailedPrediction):
            self._waiting.append({"file": file_of(answer), "error": answer.problem.detail})
        else:
            self._waiting.append(self._row(answer))
        return self.left() if self._columns else []

    def left(self) -> list[Row]:
        """The rows that waited in vain."""
        found, self._waiting = self._waiting, []
        return found

    def _row(self, prediction: Prediction) -> Row:
        if self._columns is None:
            self._columns = Columns.of(prediction)
        first, model = self._columns.model, prediction.model
        if model.digest != first.digest:
            raise ModelChanged(
                f"{first.name}@{first.version} answered first and now {model.name}@{model.version},"
                " whose columns may be others; name a version: --model name@version"
            )
        head = {"file": file_of(prediction), "model": model.name, "version": model.version}
        return {**head, **dict(_facts(prediction))}


def _kind(cell: Cell) -> Kind:
    return {str: Kind.TEXT, float: Kind.NUMBER, tuple: Kind.TEXTS}[type(cell)]


def _facts(prediction: Prediction) -> Iterator[tuple[str, Cell]]:
    """Column by column what is predicted; labels in the order of the alphabet."""
    single, multi, distribution = prediction.single, prediction.multi, prediction.distribution
    if single is not None:
        yield "single_label", single.label
        yield "single_score", single.score
        if single.set is not None:
            yield "single_set", single.set.labels
        yield from _scores("single", {each.label: each.score for each in single.scores})
    if multi is not None:
        yield "multi_labels", multi.labels
        yield from _scores("multi", {each.label: each.score for each in multi.scores})
    if distribution is not None:
        yield "distribution_dominant", distribution.dominant
        yield "distribution_entropy", distribution.entropy
        shares = {each.label: each.score for each in distribution.scores}
        yield from _scores("distribution", shares)


def _scores(output: str, scores: Mapping[str, float]) -> Iterator[tuple[str, Cell]]:
    for label in sorted(scores):
        yield f"{output}.{label}", scores[label]
