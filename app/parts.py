"""The images of a multipart body, refused at the first part that breaks a limit."""

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.errors import EmptyImage, MalformedRequest, TooManyImages
from app.uploads import Upload, plain_name

FIELD = "image"
_MAX_HEADER_BYTES = 8 * 1024


class ImageParts:
    """Takes a body chunk by chunk; every part has to be named `image`."""

    def __init__(self, boundary: bytes, *, max_images: int) -> None:
        self._max_images = max_images
        self._uploads: list[Upload] = []
        self._header_bytes = 0
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._filename: str | None = None
        self._content = bytearray()
        self._complete = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._named,
                    "on_part_data": self._data,
                    "on_part_end": self._end,
                    "on_end": self._finished,
                },
            )
        except FormParserError as error:
            raise MalformedRequest(f"the multipart boundary is unusable: {error}") from error

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body; raises MalformedRequest and TooManyImages."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise MalformedRequest(f"the multipart body is not well-formed: {error}") from error

    def uploads(self) -> list[Upload]:
        """The images, once all of the body is in; raises MalformedRequest and EmptyImage."""
        if self._complete and not self._uploads:
            raise EmptyImage(f"the multipart body has no part; send the image as '{FIELD}'")
        if not self._complete:
            raise MalformedRequest("the multipart body ends before its closing boundary")
        return self._uploads

    def _begin(self) -> None:
        if len(self._uploads) == self._max_images:
            raise TooManyImages(
                f"the body has more than {self._max_images} parts, the most that one request may "
                "have; spread the images over several requests"
            )
        self._header_bytes = 0
        self._disposition = b""
        self._content = bytearray()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._header[0].extend(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._header[1].extend(data[start:end])

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > _MAX_HEADER_BYTES:
            raise MalformedRequest(f"a part's headers exceed {_MAX_HEADER_BYTES} bytes")

    def _header_end(self) -> None:
        name, value = map(bytes, self._header)
        self._header = (bytearray(), bytearray())
        if name.lower() == b"content-disposition":
            self._disposition = value

    def _named(self) -> None:
        _, parameters = parse_options_header(self._disposition)
        name = _text(parameters.get(b"name", b""))
        if name != FIELD:
            raise MalformedRequest(
                f"a part is named {name[:64]!r}; every part has to be an image named '{FIELD}'"
            )
        self._filename = plain_name(_text(parameters.get(b"filename", b"")))

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]

    def _end(self) -> None:
        content = bytes(self._content) or EmptyImage(f"this part named '{FIELD}' has no bytes")
        self._uploads.append(Upload(self._filename, content))

    def _finished(self) -> None:
        self._complete = True


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
