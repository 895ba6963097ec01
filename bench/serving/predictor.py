"""What every server runs: our decoding and pre-processing, and the bundle's graph on one thread.

Imported in each server's own environment: it needs NumPy, Pillow, ONNX Runtime and pydantic alone.
"""

import os
from pathlib import Path
from typing import Self

from app.decoding import decode
from models.bundle import Bundle
from models.manifest import Precision
from models.preprocessing import preprocess
from models.runtime import Session

MAX_PIXELS = 50_000_000
BUNDLE, PRECISION = "BENCH_BUNDLE", "BENCH_PRECISION"
PORT, CORES = "BENCH_PORT", "BENCH_CORES"
"""Variables of the environment, which reach every process that a server starts."""

Scores = dict[str, dict[str, float]]


class Predictor:
    """All the work of one prediction but HTTP."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._spec = session.manifest.preprocessing
        self._outputs = session.manifest.outputs
        self._names = [output.scores_name for output in self._outputs]

    @classmethod
    def open(cls, bundle: Path, precision: Precision) -> Self:
        """A predictor whose first run is done."""
        session = Session.open(Bundle.open(bundle), precision=precision, threads=1)
        session.warm_up()
        return cls(session)

    @classmethod
    def from_environment(cls) -> Self:
        """The one that the bench asked this process for."""
        return cls.open(Path(os.environ[BUNDLE]), Precision(os.environ[PRECISION]))

    def __call__(self, content: bytes) -> Scores:
        """Scores by label of every output, for an encoded image."""
        picture = decode(content, needed=self._spec.size, max_pixels=MAX_PIXELS)
        arrays = self._session.run(preprocess(picture.rgb, self._spec)[None], self._names)
        return {
            output.scores_name: dict(
                zip(output.labels.names, arrays[output.scores_name][0].tolist(), strict=True)
            )
            for output in self._outputs
        }


def port() -> int:
    """Where the bench wants the server."""
    return int(os.environ[PORT])


def cores() -> int:
    """How many images it may work on at once."""
    return int(os.environ[CORES])
