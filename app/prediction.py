"""One image from its bytes to its answer: decode, run, name the numbers."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from app import answers, heatmap, options
from app.decoding import Decoded, Decoder, Picture
from app.errors import RequestError
from app.inference.batching import Pixels
from app.loaded_model import LoadedModel
from app.options import Explained, Options, Plan
from app.schemas import Explanation, ImageFacts, Prediction, Single
from app.uploads import Upload
from models.labels import LabelKind
from models.preprocessing import Preprocessing
from models.runtime import Arrays

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """An image's answer or why there is none, and the seconds it took."""

    answer: T | RequestError
    decode_s: float
    inference_s: float

    def __reduce__(self) -> tuple[Any, ...]:
        """Faster than a frozen dataclass is by itself: it comes from another process."""
        return Outcome, (self.answer, self.decode_s, self.inference_s)


@dataclass(frozen=True, slots=True)
class _Scored:
    """A decoded image and its named arrays, without the batch axis."""

    picture: Picture
    arrays: Arrays


def predict_document(
    upload: Upload, model: LoadedModel, *, query: Options, decoder: Decoder
) -> Outcome[bytes]:
    """What `predict` says as JSON, for the model that `query` was checked against."""
    plan = options.plan(query, model.manifest)
    found = predict(upload, model, plan=plan, decoder=decoder)
    if isinstance(found.answer, RequestError):
        return Outcome(found.answer, found.decode_s, found.inference_s)
    document = found.answer.model_dump_json(exclude_unset=True).encode()
    return Outcome(document, found.decode_s, found.inference_s)


def predict(
    upload: Upload, model: LoadedModel, *, plan: Plan, decoder: Decoder
) -> Outcome[Prediction]:
    """The named numbers of one image; they do not depend on the others of its request."""
    scored = _score(upload, model, names=plan.arrays, decoder=decoder)
    if isinstance(scored.answer, RequestError):
        return Outcome(scored.answer, scored.decode_s, scored.inference_s)
    answer = _named(upload, scored.answer, plan=plan, spec=model.manifest.preprocessing)
    return Outcome(answer, scored.decode_s, scored.inference_s)


def score(
    upload: Upload, model: LoadedModel, *, names: Sequence[str], decoder: Decoder
) -> Outcome[Arrays]:
    """The arrays of `names` for one encoded image."""
    found = _score(upload, model, names=names, decoder=decoder)
    answer = found.answer if isinstance(found.answer, RequestError) else found.answer.arrays
    return Outcome(answer, found.decode_s, found.inference_s)


def _score(
    upload: Upload, model: LoadedModel, *, names: Sequence[str], decoder: Decoder
) -> Outcome[_Scored]:
    began = time.perf_counter()
    try:
        decoded = _decoded(upload, decoder, spec=model.manifest.preprocessing)
        ran = time.perf_counter()
        scored = _Scored(decoded.picture, model.run(decoded.pixels, names))
        return Outcome(scored, ran - began, time.perf_counter() - ran)
    except RequestError as error:
        return Outcome(error, time.perf_counter() - began, 0.0)


def score_pixels(pixels: Pixels, model: LoadedModel, *, names: Sequence[str]) -> Outcome[Arrays]:
    """The arrays of `names` for one pre-processed image 3,H,W."""
    began = time.perf_counter()
    try:
        return Outcome(model.run(pixels, names), 0.0, time.perf_counter() - began)
    except RequestError as error:
        return Outcome(error, 0.0, time.perf_counter() - began)


def _decoded(upload: Upload, decoder: Decoder, *, spec: Preprocessing) -> Decoded:
    if isinstance(upload.content, RequestError):
        raise upload.content
    return decoder.decode(upload.content, spec)


def _named(upload: Upload, scored: _Scored, *, plan: Plan, spec: Preprocessing) -> Prediction:
    picture, arrays = scored.picture, scored.arrays
    found: dict[str, Any] = {
        output.kind.value: answers.answer(output, arrays[output.scores_name], top_k=plan.top_k)
        for output in plan.outputs
    }
    if plan.label_set is not None:
        found["single"] = _with_set(found["single"], plan, arrays)
    if plan.explained is not None:
        found["explanation"] = _explanation(plan.explained, arrays, picture=picture, spec=spec)
    facts = ImageFacts(
        filename=upload.filename,
        format=picture.format,
        width=picture.width,
        height=picture.height,
    )
    return Prediction(image=facts, **found)


def _with_set(single: Single, plan: Plan, arrays: Arrays) -> Single:
    output = next(each for each in plan.outputs if each.kind is LabelKind.SINGLE)
    assert plan.label_set is not None
    found = answers.conformal_set(output, arrays[output.scores_name], plan.label_set)
    return single.model_copy(update={"set": found})


def _explanation(
    explained: Explained, arrays: Arrays, *, picture: Picture, spec: Preprocessing
) -> Explanation:
    output = explained.output
    label = explained.label
    if label is None:
        label = int(np.argmax(arrays[output.scores_name]))
    grid = arrays[output.map_name][label]  # h,w
    return Explanation(
        output=output.kind,
        label=output.labels.names[label],
        bias=output.bias[label],
        grid=[[answers.shortest(value) for value in row] for row in grid],
        png_base64=heatmap.overlay_png(picture.rgb, grid, spec),
    )
