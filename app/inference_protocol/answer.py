"""What a request wants of the outputs, and the answer in JSON with raw tensors behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.errors import InvalidTensor
from app.inference_protocol import tensors
from app.inference_protocol.documents import (
    Datatype,
    InferenceRequest,
    InferenceResponse,
    OutputTensor,
    WantedOutput,
)
from app.inference_protocol.tensors import Floats
from models.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Wanted:
    """One output, and how it is to come."""

    name: str
    binary: bool
    labels: tuple[str, ...] = ()
    """With labels the `top` highest scores come as text, without as they are."""

    top: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, and the bytes of its raw tensors in the order of its outputs."""

    response: InferenceResponse
    raw: tuple[bytes, ...]

    def header(self) -> bytes:
        """The JSON."""
        return self.response.model_dump_json(exclude_unset=True).encode()


def wanted(request: InferenceRequest, manifest: Manifest) -> tuple[Wanted, ...]:
    """The outputs that a request asks for, or all; raises InvalidTensor."""
    asked = request.outputs or [WantedOutput(name=name) for name in _names(manifest)]
    if len({each.name for each in asked}) < len(asked):
        raise InvalidTensor("an output is asked for more than once")
    return tuple(_wanted(each, request, manifest) for each in asked)


def _names(manifest: Manifest) -> tuple[str, ...]:
    heads = manifest.outputs
    return (*(head.scores_name for head in heads), *(head.map_name for head in heads))


def _wanted(asked: WantedOutput, request: InferenceRequest, manifest: Manifest) -> Wanted:
    names, top = _names(manifest), asked.parameters.classification
    if asked.name not in names:
        raise InvalidTensor(f"there is no output {asked.name[:64]!r}; known: {', '.join(names)}")
    binary = asked.parameters.binary_data
    if binary is None:
        binary = request.parameters.binary_data_output
    if not top:
        return Wanted(asked.name, binary)
    labels = {head.scores_name: head.labels.names for head in manifest.outputs}.get(asked.name)
    if labels is None:
        raise InvalidTensor(f"output {asked.name!r} is a map and cannot be classified")
    return Wanted(asked.name, binary, labels, min(top, len(labels)))


def answer(
    request: InferenceRequest,
    manifest: Manifest,
    outputs: Sequence[Wanted],
    *,
    arrays: Mapping[str, Floats],
) -> Answer:
    """The answer with the wanted `arrays` B,..."""
    made = [_tensor(each, arrays[each.name]) for each in outputs]
    response = InferenceResponse(
        model_name=manifest.name,
        model_version=manifest.version,
        outputs=[tensor for tensor, _ in made],
        **({"id": request.id} if request.id is not None else {}),
    )
    return Answer(response, tuple(raw for _, raw in made if raw is not None))


def _tensor(output: Wanted, array: Floats) -> tuple[OutputTensor, bytes | None]:
    if not output.top:
        raw = tensors.floats_to_bytes(array) if output.binary else None
        return _described(output, Datatype.FP32, array.shape, data=array.ravel(), raw=raw)
    texts = _classes(output, array)
    raw = tensors.strings_to_bytes([text.encode() for text in texts]) if output.binary else None
    return _described(output, Datatype.BYTES, (len(array), output.top), data=texts, raw=raw)


def _described(
    output: Wanted,
    datatype: Datatype,
    shape: Sequence[int],
    *,
    data: Floats | list[str],
    raw: bytes | None,
) -> tuple[OutputTensor, bytes | None]:
    facts = {"name": output.name, "datatype": datatype, "shape": list(shape)}
    if raw is not None:
        return OutputTensor.model_validate(
            {**facts, "parameters": {"binary_data_size": len(raw)}}
        ), raw
    listed = data if isinstance(data, list) else data.tolist()
    return OutputTensor.model_validate({**facts, "data": listed}), None


def _classes(output: Wanted, scores: Floats) -> list[str]:
    """The highest `scores` B,K of each row as "score:index:label", equal ones in their order."""
    places = np.argsort(-scores, axis=1, kind="stable")[:, : output.top]
    return [
        f"{scores[row, place]:f}:{place}:{output.labels[place]}"
        for row, best in enumerate(places)
        for place in best
    ]
