"""BentoML: a worker process a core, an image's file in, JSON out."""

from pathlib import Path
from typing import Annotated

import bentoml
from bentoml.validators import ContentType

from bench.serving.predictor import Predictor, Scores, cores


@bentoml.service(
    workers=cores(),
    threads=1,
    traffic={"timeout": 60},
    logging={"access": {"enabled": False}},
)
class Images:
    """One worker; BentoML puts a bare body into a file."""

    def __init__(self) -> None:
        self._predict = Predictor.from_environment()

    @bentoml.api(route="/images")  # type: ignore[untyped-decorator]
    def images(self, image: Annotated[Path, ContentType("image/jpeg")], /) -> Scores:
        """The scores of an encoded image."""
        return self._predict(image.read_bytes())
