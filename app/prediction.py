"""One image from its bytes to its answer: decode, run, name the numbers."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from app import answers, heatmap
from app.decoding import Picture, decode
from app.errors import ModelNotServable, RequestError
from app.options import Explained, Plan
from app.schemas import Explanation, ImageFacts, Prediction
from app.uploads import Upload
from models.preprocessing import preprocess
from models.runtime import Arrays, Session


@dataclass(frozen=True, slots=True)
class Outcome:
    """An image's answer or why there is none, and the seconds it took."""

    answer: Prediction | RequestError
    decode_s: float
    inference_s: float


def predict(upload: Upload, session: Session, *, plan: Plan, max_pixels: int) -> Outcome:
    """The outcome for one image; it does not depend on the others of its request."""
    spec = session.manifest.preprocessing
    began = decoded = time.perf_counter()
    try:
        if isinstance(upload.content, RequestError):
            raise upload.content
        picture = decode(upload.content, needed=spec.size, max_pixels=max_pixels)
        pixels = preprocess(picture.rgb, spec)  # 3,H,W
        decoded = time.perf_counter()
        arrays = _run(session, pixels[None], plan)
    except RequestError as error:
        return Outcome(error, time.perf_counter() - began, 0.0)
    ran = time.perf_counter()
    answer = _named(upload, picture, arrays=arrays, plan=plan, session=session)
    return Outcome(answer, decoded - began, ran - decoded)


def _run(session: Session, batch: Any, plan: Plan) -> Arrays:
    """One image's arrays, the batch axis taken off."""
    arrays = {name: array[0] for name, array in session.run(batch, plan.arrays).items()}
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ModelNotServable(f"{session.bundle.label} gave scores that are not finite numbers")
    return arrays


def _named(
    upload: Upload, picture: Picture, *, arrays: Arrays, plan: Plan, session: Session
) -> Prediction:
    found: dict[str, Any] = {
        output.kind.value: answers.answer(output, arrays[output.scores_name], top_k=plan.top_k)
        for output in plan.outputs
    }
    if plan.explained is not None:
        found["explanation"] = _explanation(
            plan.explained, arrays, picture=picture, session=session
        )
    facts = ImageFacts(
        filename=upload.filename,
        format=picture.format,
        width=picture.width,
        height=picture.height,
    )
    return Prediction(image=facts, **found)


def _explanation(
    explained: Explained, arrays: Arrays, *, picture: Picture, session: Session
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
        png_base64=heatmap.overlay_png(picture.rgb, grid, session.manifest.preprocessing),
    )
