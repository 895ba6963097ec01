"""MATLAB files: structures of the classic form, and arrays of the HDF5 form (v7.3)."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.importers.listing import BadLayout


def classic_structures(content: bytes, *, file: str) -> Mapping[str, Any]:
    """The variables of a classic file: structures as dicts, cells and arrays as NumPy arrays."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        return dict(loadmat(io.BytesIO(content), simplify_cells=True))
    except (MatReadError, ValueError, TypeError, NotImplementedError, OSError) as error:
        raise BadLayout(f"{file} is not a classic MATLAB file: {error}") from error


def items(value: object) -> list[Any]:
    """What a cell or structure array holds: MATLAB writes one element as the element itself."""
    if isinstance(value, np.ndarray):
        return [item for part in value.ravel().tolist() for item in items(part)]
    return list(value) if isinstance(value, list | tuple) else [value]


class Hdf5Arrays:
    """The variables of a v7.3 file, turned to the rows and columns that MATLAB shows."""

    def __init__(self, content: bytes, *, file: str) -> None:
        import h5py

        self._file = file
        try:
            self._variables = h5py.File(io.BytesIO(content), "r")
        except OSError as error:
            raise BadLayout(
                f"{file} is not a MATLAB file of version 7.3: {error}; save it with '-v7.3'"
            ) from error

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A numeric variable, rows first."""
        values = np.asarray(self._variable(name)[()])
        if values.dtype.kind not in "biuf":
            raise BadLayout(f"{self._file}: {name} is of type {values.dtype}; expected numbers")
        return values.astype(np.float64).T

    def texts(self, name: str) -> Sequence[str]:
        """A cell array of texts."""
        references = np.asarray(self._variable(name)[()]).ravel()
        try:
            cells = [np.asarray(self._variables[reference][()]) for reference in references]
            return ["".join(map(chr, cell.ravel())) for cell in cells]
        except (TypeError, ValueError, KeyError) as error:
            raise BadLayout(f"{self._file}: {name} is not a cell array of texts") from error

    def _variable(self, name: str) -> Any:
        if name not in self._variables:
            known = ", ".join(key for key in self._variables if not key.startswith("#"))
            raise BadLayout(f"{self._file} has no {name}, but {known}; expected {name}")
        return self._variables[name]
