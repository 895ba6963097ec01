"""An answer as JSON has it."""

from typing import Any

from sentiscope.service.prediction import Answer, FailedPrediction


def file_of(answer: Answer) -> str:
    """Its file; bytes of a name that are no text are shown as such."""
    name = answer.source or ""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def document(answer: Answer) -> dict[str, Any]:
    """The answer as the API has it, and which file it is about."""
    if isinstance(answer, FailedPrediction):
        return {"file": file_of(answer), "error": answer.problem.model_dump(exclude_unset=True)}
    found = answer.model_dump(exclude={"source"}, exclude_unset=True)
    return {"file": file_of(answer), **found}
