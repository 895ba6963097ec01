"""One request for inference, from its body to its answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from app.decoding import Decoder
from app.errors import InvalidTensor, ModelNotServable, RequestError
from app.inference_protocol.answer import Answer, Wanted, answer, wanted
from app.inference_protocol.body import parse
from app.inference_protocol.documents import InferenceRequest
from app.inference_protocol.images import Images, images
from app.loaded_model import LoadedModel
from app.prediction import Outcome, score, score_pixels
from app.uploads import Upload
from models.runtime import Arrays

Found = Outcome[Arrays]


@dataclass(frozen=True, slots=True)
class Inference:
    """What is to be inferred, with which model."""

    model: LoadedModel
    request: InferenceRequest
    images: Images
    outputs: tuple[Wanted, ...]

    def jobs(self, decoder: Decoder) -> list[Callable[[], Found]]:
        """The work, a job an image."""
        names = [output.name for output in self.outputs]
        return [
            partial(score, image, self.model, names=names, decoder=decoder)
            if isinstance(image, Upload)
            else partial(score_pixels, image, self.model, names=names)
            for image in self.images
        ]

    def answer(self, found: Sequence[Found]) -> Answer:
        """The answer from the outcomes of all images; raises the first image's error, if any."""
        rows = [_arrays(outcome, place) for place, outcome in enumerate(found)]
        arrays = {
            output.name: np.stack([row[output.name] for row in rows]) for output in self.outputs
        }
        return answer(self.request, self.model.manifest, self.outputs, arrays=arrays)


def inference(
    content: bytes, header_length: str | None, model: LoadedModel, *, most: int
) -> Inference:
    """What a body asks of a model, for `most` images or fewer; raises RequestError."""
    body = parse(content, header_length)
    outputs = wanted(body.request, model.manifest)
    found = images(body, model.manifest.preprocessing, most=most)
    return Inference(model, body.request, found, outputs)


def _arrays(outcome: Found, place: int) -> Arrays:
    found = outcome.answer
    if isinstance(found, ModelNotServable):
        raise InvalidTensor(f"image {place} makes the model overflow: {found.detail}")
    if isinstance(found, RequestError):
        raise type(found)(f"image {place}: {found.detail}")
    return found
