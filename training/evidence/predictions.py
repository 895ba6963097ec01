"""What a network says of every test image, kept beside the metrics so that rows can be paired."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.labels import LabelKind
from training.errors import TrainingError
from training.evaluation import Predictions, probabilities


class BadPredictions(TrainingError):
    """A file of predictions cannot be read, or does not belong to the metrics beside it."""


@dataclass(frozen=True, slots=True)
class ImagePredictions:
    """Logits N,K and targets (N or N,K) of the images in `files`."""

    files: tuple[str, ...]
    logits: NDArray[np.float32]
    targets: NDArray[Any]

    def judged(self, kind: LabelKind, *, temperature: float) -> Predictions:
        """Probabilities and targets."""
        scores = probabilities(kind, self.logits.astype(np.float64) / temperature)
        return Predictions(scores, self.targets)

    def digest(self) -> str:
        """sha256 of names, logits and targets; not of the file, which holds a time."""
        state = sha256("\n".join(self.files).encode())
        for array in (self.logits, self.targets):
            state.update(np.ascontiguousarray(array).tobytes())
        return state.hexdigest()

    def write(self, file: Path) -> None:
        """Keep it in one step."""
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(file.name + ".partial")
        names = np.frombuffer("\n".join(self.files).encode(), dtype=np.uint8)
        with partial.open("wb") as stream:
            np.savez_compressed(stream, files=names, logits=self.logits, targets=self.targets)
        partial.replace(file)

    @classmethod
    def read(cls, file: Path) -> Self:
        """What `write` kept; raises BadPredictions."""
        try:
            with np.load(file, allow_pickle=False) as found:
                files = tuple(found["files"].tobytes().decode().split("\n"))
                return cls(files, found["logits"], found["targets"])
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise BadPredictions(
                f"{file} holds no predictions ({error}); delete the metrics of this cell and run "
                "it again"
            ) from error
