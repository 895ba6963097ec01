"""Images of a corpus, decoded and resized once: later readings take the pixels from a file."""

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from models.preprocessing import Preprocessing, resized

_GIB = 2**30
_CHANNELS = 3

_SHARE_OF_FREE = 0.25
"""At most this share of the disk's free space is used: checkpoints need some too."""

_KEPT = b"\1"


class PixelCache:
    """What `resized` made of each image, in a file without a name that goes with its process.

    Loader processes share it when they are forked; one that is started otherwise reads every image
    itself. Any number of processes may keep the same image at once: they all write the same bytes.
    """

    def __init__(self, spec: Preprocessing, file: int | None = None, *, room: int = 0) -> None:
        self._spec, self._file, self._room = spec, file, room
        self._size = _bytes(spec)
        if file is not None:
            weakref.finalize(self, os.close, file)

    def __reduce__(self) -> tuple[type["PixelCache"], tuple[Preprocessing]]:
        return PixelCache, (self._spec,)

    def image(self, index: int, read: Callable[[], Image.Image]) -> Image.Image:
        """Image number `index` as `resized` makes it of what `read` returns; 8-bit RGB."""
        if self._file is None or index >= self._room:
            return read()
        place = self._room + index * self._size
        if os.pread(self._file, 1, index) == _KEPT:
            side = self._spec.input_side
            return Image.frombytes("RGB", (side, side), os.pread(self._file, self._size, place))
        image = resized(read(), self._spec)
        with suppress(OSError):  # a full disk: it is read again next time
            if os.pwrite(self._file, image.tobytes(), place) == self._size:
                os.pwrite(self._file, _KEPT, index)
        return image


def _bytes(spec: Preprocessing) -> int:
    """Of one image."""
    return spec.input_side * spec.input_side * _CHANNELS


@dataclass(frozen=True, slots=True)
class Caching:
    """Where the images of a corpus are kept, and how many GiB of them."""

    folder: Path
    gib: float
    among: int = 1
    """Processes that keep some each."""

    def of(self, spec: Preprocessing, samples: int) -> PixelCache:
        """An empty cache with room for the first of `samples` images."""
        budget = min(self.gib * _GIB, _SHARE_OF_FREE * shutil.disk_usage(self.folder).free)
        room = min(samples, int(budget / self.among) // _bytes(spec))
        if not room or spec.input_side != spec.size:  # resizing again would change the image
            return PixelCache(spec)
        with tempfile.TemporaryFile(dir=self.folder) as file:
            return PixelCache(spec, os.dup(file.fileno()), room=room)
