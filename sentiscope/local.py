"""Predictions on this machine, without a server, by the very parts the server is made of."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self, Unpack

from pydantic import ValidationError

from app import options, prediction, problems
from app.decoding import Decoder
from app.errors import InvalidOption, RequestError
from app.loaded_model import LoadedModel
from app.options import Plan
from app.routes.predictions import model_version
from app.settings import usable_cores
from app.uploads import Upload
from models.registry import Registry
from models.runtime import Session
from sentiscope.service import images, predicting
from sentiscope.service.prediction import Answer, FailedPrediction, Prediction
from sentiscope.service.problem import Problem, unfetched

_MAX_PIXELS = 150_000_000


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A loaded bundle that answers as a service does; safe to use from several threads."""

    model: LoadedModel
    plan: Plan
    decoder: Decoder

    @classmethod
    def open(cls, reference: str, *, root: Path, **asked: Unpack[predicting.Options]) -> Self:
        """The model that `reference` names; raises ModelError and RequestError."""
        session = Session.open(Registry(root).open(reference), threads=1)
        return cls.of(session, **asked)

    @classmethod
    def of(cls, session: Session, **asked: Unpack[predicting.Options]) -> Self:
        """A loaded graph that is asked for `asked`; raises RequestError."""
        try:
            query = options.Options.model_validate(predicting.query(asked))
        except ValidationError as error:
            said = [f"{each['loc'][-1]}: {each['msg']}" for each in error.errors()]
            raise InvalidOption("; ".join(said)) from error
        decoder = Decoder(max_pixels=_MAX_PIXELS, at_once=usable_cores())
        return cls(LoadedModel.of(session), options.plan(query, session.manifest), decoder)

    def predict(self, content: bytes, *, source: str | None = None) -> Answer:
        """What the bytes of one image file make people feel."""
        outcome = prediction.predict(
            Upload(source, content), self.model, plan=self.plan, decoder=self.decoder
        )
        if isinstance(outcome.answer, RequestError):
            problem = problems.of_error(outcome.answer, instance="")
            found = Problem.model_validate(problem.model_dump())
            return FailedPrediction(source=source, problem=found)
        document = outcome.answer.model_dump(exclude_unset=True)
        model = model_version(self.model).model_dump()
        return Prediction.model_validate({**document, "source": source, "model": model})

    def predict_each(self, files: Iterable[Path | str]) -> Iterator[Answer]:
        """An answer for each file, in order; as many images at once as there are cores."""
        hands = usable_cores()
        with ThreadPoolExecutor(hands) as pool:
            begun: deque[Future[Answer] | FailedPrediction] = deque()
            for upload in images.uploads(files):
                match upload:
                    case FailedPrediction():
                        begun.append(upload)
                    case images.Link(address):
                        begun.append(FailedPrediction(source=address, problem=unfetched(address)))
                    case images.Upload(source, content):
                        begun.append(pool.submit(self.predict, content, source=source))
                if len(begun) > hands:
                    yield _answer(begun.popleft())
            yield from map(_answer, begun)


def _answer(begun: Future[Answer] | FailedPrediction) -> Answer:
    return begun if isinstance(begun, FailedPrediction) else begun.result()
