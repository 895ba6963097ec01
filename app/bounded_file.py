"""The bytes of an image as a file that is read in a bounded number of pieces."""

from io import BytesIO

from app.errors import BrokenImage

_MAX_READS = 500_000
"""Some 0.3 s of a decoder's loop; a photo takes a hundred, a PNG of 32 MiB some 20,000."""


class BoundedFile:
    """Read-only, as Pillow wants it.

    Pillow walks chunks, segments, fill bytes and run lengths in Python, a read a step: a body full
    of the smallest ones would hold a thread, and much of the interpreter, for ten seconds.
    """

    def __init__(self, content: bytes, *, reads: int = _MAX_READS) -> None:
        self._file = BytesIO(content)
        self._reads, self._left = reads, reads
        self.seek, self.tell = self._file.seek, self._file.tell

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, -1 for all; raises BrokenImage after too many calls."""
        self._left -= 1
        if self._left < 0:
            raise BrokenImage(
                f"the image is made of more than some {self._reads:,} pieces; save it anew"
            )
        return self._file.read(size)
