"""A job's log: what its process printed, in lines, in two files of bounded size."""

import os
import re
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from worker.redaction import Redaction

LOG_FILE = "log.txt"
OLD_LOG_FILE = "log.1.txt"

_MAX_LINE = 16 * 1024
_RECENT = 60
_TOKENS = re.compile(rb"[^\r\n]+|\r|\n")


class JobLog:
    """Appends to `log.txt` in a folder; when that is full it becomes `log.1.txt`.

    A carriage return takes its line back, as on a terminal: of a progress bar the last state stays.
    Clients read it, so that it names no folder of the host.
    """

    def __init__(self, folder: Path, *, limit_bytes: int, redaction: Redaction) -> None:
        self._path, self._old = folder / LOG_FILE, folder / OLD_LOG_FILE
        self._limit, self._redaction = limit_bytes, redaction
        self._file: BinaryIO = self._path.open("ab", buffering=0)
        self._size = os.fstat(self._file.fileno()).st_size
        self._line = bytearray()
        self._taken_back = False
        self.recent: deque[str] = deque(maxlen=_RECENT)
        """The last lines."""

    def feed(self, printed: bytes) -> None:
        """Take in what a process printed; a line may come in parts."""
        for token in _TOKENS.findall(printed):
            if token == b"\n":
                self._end_line()
            elif token == b"\r":
                self._taken_back = True
            else:
                self._add(token)

    def say(self, text: str) -> None:
        """A line of the supervisor's own."""
        if self._line:
            self._end_line()
        self.feed(f"{text}\n".encode())

    def close(self) -> None:
        """End the last line, and close the file."""
        if self._line:
            self._end_line()
        self._file.close()

    def _add(self, text: bytes) -> None:
        if self._taken_back:
            self._line.clear()
            self._taken_back = False
        self._line += text
        if len(self._line) > _MAX_LINE:
            self._end_line()

    def _end_line(self) -> None:
        was_bar, self._taken_back = self._taken_back, False
        text = self._redaction.text(self._line.decode(errors="replace").rstrip())
        self._line.clear()
        if was_bar and not text:
            return
        self.recent.append(text)
        with suppress(OSError, ValueError):  # a full disk or a closed file must not stop who prints
            self._write(f"{text}\n".encode())

    def _write(self, line: bytes) -> None:
        if self._size + len(line) > self._limit:
            self._file.close()
            self._path.replace(self._old)
            self._file = self._path.open("ab", buffering=0)
            self._size = 0
        self._size += self._file.write(line) or 0
