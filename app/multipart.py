"""A multipart body, chunk by chunk: what every form has in common."""

from collections.abc import Mapping
from typing import Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.errors import MalformedRequest

Parameters = Mapping[bytes, bytes]
"""Of a part's `Content-Disposition`: its `name`, perhaps its `filename`."""


class Form(Protocol):
    """What a multipart body becomes; each method may raise RequestError."""

    def part_begins(self) -> None: ...

    def header_grows(self, size: int) -> None:
        """`size` more bytes of a part's headers came, and will be kept for a moment."""
        ...

    def part_is_named(self, parameters: Parameters) -> None: ...

    def data(self, piece: bytes) -> None: ...

    def part_ends(self) -> None: ...


class Multipart:
    """Takes a body and tells `form` of its parts."""

    def __init__(self, boundary: bytes, form: Form) -> None:
        self._form = form
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self.complete = False
        """Whether the closing boundary came."""
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._part_begins,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_ends,
                    "on_headers_finished": self._part_is_named,
                    "on_part_data": self._data,
                    "on_part_end": form.part_ends,
                    "on_end": self._ends,
                },
            )
        except FormParserError as error:
            raise MalformedRequest(f"the multipart boundary is unusable: {error}") from error

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body; raises MalformedRequest and what the form raises."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise MalformedRequest(f"the multipart body is not well-formed: {error}") from error

    def _part_begins(self) -> None:
        self._form.part_begins()
        self._disposition = b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._form.header_grows(end - start)
        self._header[0].extend(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._form.header_grows(end - start)
        self._header[1].extend(data[start:end])

    def _header_ends(self) -> None:
        name, value = map(bytes, self._header)
        self._header = (bytearray(), bytearray())
        if name.lower() == b"content-disposition":
            self._disposition = value

    def _part_is_named(self) -> None:
        self._form.part_is_named(parse_options_header(self._disposition)[1])

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._form.data(data[start:end])

    def _ends(self) -> None:
        self.complete = True
