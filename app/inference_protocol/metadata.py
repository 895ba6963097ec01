"""A model's manifest in the words of the Open Inference Protocol."""

from collections.abc import Sequence

from app.inference_protocol.documents import Datatype, ModelFacts, TensorFacts
from app.inference_protocol.images import ENCODED_NAME
from models.manifest import INPUT_NAME, Manifest, Output

_PLATFORM = "onnxruntime_onnx"
_FREE = -1


def model_facts(manifest: Manifest, *, versions: Sequence[str]) -> ModelFacts:
    """Inputs, of which a request has one, and outputs."""
    inputs = [
        _tensor(INPUT_NAME, *manifest.preprocessing.input_shape),
        TensorFacts(name=ENCODED_NAME, datatype=Datatype.BYTES, shape=[_FREE]),
    ]
    scores = [_tensor(head.scores_name, len(head.labels)) for head in manifest.outputs]
    maps = [_map(head) for head in manifest.outputs]
    return ModelFacts(
        name=manifest.name,
        versions=list(versions),
        platform=_PLATFORM,
        inputs=inputs,
        outputs=[*scores, *maps],
    )


def _map(head: Output) -> TensorFacts:
    return _tensor(head.map_name, len(head.labels), _FREE, _FREE)


def _tensor(name: str, *sizes: int) -> TensorFacts:
    return TensorFacts(name=name, datatype=Datatype.FP32, shape=[_FREE, *sizes])
