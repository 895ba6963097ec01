"""One ONNX Runtime session over a bundle's graph: arrays in, named arrays out."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.bundle import BrokenBundle, Bundle
from models.errors import ModelError
from models.manifest import INPUT_NAME, Manifest, Precision

# Its builds report their use to Microsoft, and look only while they are imported whether they may.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort

Arrays = dict[str, NDArray[np.float32]]


class ProviderUnavailable(ModelError):
    """The execution provider that was asked for cannot run on this machine."""


class WrongInput(ModelError):
    """An array that is not the model's input."""


class Provider(StrEnum):
    """Where the graph runs."""

    CPU = "cpu"
    CUDA = "cuda"


_PROVIDERS = {
    Provider.CPU: "CPUExecutionProvider",
    Provider.CUDA: "CUDAExecutionProvider",
}

_PROVIDER_OPTIONS: Mapping[Provider, Mapping[str, str]] = {
    Provider.CPU: {},
    # Batches come in many sizes, and an exhaustive search would start anew for each.
    Provider.CUDA: {"cudnn_conv_algo_search": "HEURISTIC"},
}

_IDENTITY = bytes.fromhex(
    "08083a2f0a100a017812017922084964656e746974791201675a0b0a01781206"
    "0a0408011200620b0a017912060a040801120042040a00100d"
)
"""The smallest ONNX file: y is x, a float."""


@dataclass(frozen=True, slots=True)
class Session:
    """A loaded graph; `run` may be called from several threads at once."""

    bundle: Bundle
    precision: Precision
    provider: Provider
    _session: Any

    @classmethod
    def open(
        cls,
        bundle: Bundle,
        *,
        precision: Precision = Precision.FP32,
        provider: Provider = Provider.CPU,
        threads: int = 0,
    ) -> Self:
        """Load a graph on exactly `provider`; `threads` a run on the CPU, 0: all cores.

        Raises PrecisionMissing, BrokenBundle (unreadable graph, other shapes than the manifest's)
        and ProviderUnavailable: a CUDA session never falls back to the CPU in silence.
        """
        path = bundle.graph_path(precision)
        try:
            session = _opened(str(path), provider, threads=threads)
        except ProviderUnavailable:
            raise
        except Exception as error:
            reason = _pathless(error, path.parent)
            raise BrokenBundle(
                f"{bundle.label}: ONNX Runtime cannot load {path.name}: {reason}"
            ) from error
        _check_signature(bundle, path.name, session)
        return cls(bundle, precision, provider, session)

    @property
    def manifest(self) -> Manifest:
        """The bundle's manifest."""
        return self.bundle.manifest

    def run(self, images: NDArray[np.float32], outputs: Sequence[str] | None = None) -> Arrays:
        """Named outputs (default: all) for pre-processed `images` B,3,H,W; raises WrongInput."""
        expected = self.manifest.preprocessing.input_shape
        if images.ndim != 4 or images.shape[1:] != expected or not len(images):
            raise WrongInput(f"expected images of shape (B, {expected}), got {images.shape}")
        if images.dtype != np.float32:
            raise WrongInput(f"expected float32 images, got {images.dtype}")
        names = self.output_names if outputs is None else tuple(outputs)
        if not names:  # ONNX Runtime takes none for all
            return {}
        run = run_plain if self.provider is Provider.CPU else run_bound
        return run(self._session, images, names)

    def warm_up(self, batch: int = 1) -> None:
        """Run once on black images: the first run of a size is slow, and so nobody's request."""
        shape = (batch, *self.manifest.preprocessing.input_shape)
        self.run(np.zeros(shape, np.float32))

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of all outputs, scores before maps."""
        heads = self.manifest.outputs
        return (*(head.scores_name for head in heads), *(head.map_name for head in heads))


def demand(provider: Provider) -> None:
    """Raise ProviderUnavailable where `provider` does not run here.

    An installed provider is not enough: without its device ONNX Runtime falls back in silence.
    """
    try:
        _opened(_IDENTITY, provider, threads=1)
    except ProviderUnavailable:
        raise
    except Exception as error:
        raise ProviderUnavailable(f"{_unavailable(provider)}; it says: {error}") from error


def run_plain(session: Any, images: NDArray[np.float32], names: Sequence[str]) -> Arrays:
    """One run in the host's memory."""
    return dict(zip(names, session.run(names, {INPUT_NAME: images}), strict=True))


def run_bound(session: Any, images: NDArray[np.float32], names: Sequence[str]) -> Arrays:
    """One run with its input and outputs bound: each is copied once between host and device."""
    binding = session.io_binding()
    binding.bind_cpu_input(INPUT_NAME, np.ascontiguousarray(images))
    for name in names:
        binding.bind_output(name)  # in the host's memory
    session.run_with_iobinding(binding)
    return dict(zip(names, binding.copy_outputs_to_cpu(), strict=True))


def _opened(graph: str | bytes, provider: Provider, *, threads: int) -> Any:
    """A session on exactly `provider`; raises ProviderUnavailable, or what ONNX Runtime does."""
    wanted = _PROVIDERS[provider]
    if wanted not in ort.get_available_providers():
        raise ProviderUnavailable(_unavailable(provider))
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    chosen = [(wanted, dict(_PROVIDER_OPTIONS[provider]))]
    session = ort.InferenceSession(graph, options, providers=chosen)
    if wanted not in session.get_providers():
        raise ProviderUnavailable(_unavailable(provider))
    return session


def _pathless(error: Exception, folder: Path) -> str:
    """What ONNX Runtime says, without where on this host the bundle lies."""
    return str(error).replace(f"{folder.resolve()}/", "").replace(f"{folder}/", "")


def _unavailable(provider: Provider) -> str:
    there = ", ".join(p for p, name in _PROVIDERS.items() if name in ort.get_available_providers())
    return (
        f"ONNX Runtime cannot use {provider} here (available: {there}); "
        "for CUDA install the 'gpu' extra instead of 'cpu', and check driver and device"
    )


def _check_signature(bundle: Bundle, file: str, session: Any) -> None:
    inputs = {put.name: (put.type, put.shape) for put in session.get_inputs()}
    outputs = {put.name: (put.type, put.shape) for put in session.get_outputs()}
    for name, shape in _expected_inputs(bundle.manifest).items():
        _check_tensor(bundle, file, inputs, name=name, shape=shape)
    if len(inputs) > 1:
        raise BrokenBundle(
            f"{bundle.label}: {file} has the inputs {list(inputs)}, expected {INPUT_NAME!r} alone"
        )
    for name, shape in _expected_outputs(bundle.manifest).items():
        _check_tensor(bundle, file, outputs, name=name, shape=shape)


def _expected_inputs(manifest: Manifest) -> dict[str, tuple[int | None, ...]]:
    return {INPUT_NAME: (None, *manifest.preprocessing.input_shape)}


def _expected_outputs(manifest: Manifest) -> dict[str, tuple[int | None, ...]]:
    scores = {head.scores_name: (None, len(head.labels)) for head in manifest.outputs}
    maps = {head.map_name: (None, len(head.labels), 0, 0) for head in manifest.outputs}
    return {**scores, **maps}


def _check_tensor(
    bundle: Bundle,
    file: str,
    tensors: Mapping[str, tuple[str, Sequence[int | str | None]]],
    *,
    name: str,
    shape: tuple[int | None, ...],
) -> None:
    """Demand a float tensor of `shape`; None stands for a free axis, 0 for any."""
    if name not in tensors:
        raise BrokenBundle(f"{bundle.label}: {file} has no tensor {name!r}, only {list(tensors)}")
    kind, found = tensors[name]
    fits = len(found) == len(shape) and all(
        want == 0 or (not isinstance(size, int) if want is None else size == want)
        for size, want in zip(found, shape, strict=True)
    )
    if kind != "tensor(float)" or not fits:
        wanted = ["batch" if want is None else want or "any" for want in shape]
        raise BrokenBundle(
            f"{bundle.label}: {name!r} in {file} is {kind} of shape {list(found)}, "
            f"expected tensor(float) of {wanted}"
        )
