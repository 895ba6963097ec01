"""The images of a multipart body, refused at the first part that breaks a limit."""

from app.errors import EmptyImage, MalformedRequest, TooManyImages
from app.multipart import Multipart, Parameters
from app.uploads import Upload, plain_name

FIELD = "image"
_MAX_HEADER_BYTES = 8 * 1024


class ImageParts:
    """Takes a body chunk by chunk; every part has to be named `image`."""

    def __init__(self, boundary: bytes, *, max_images: int) -> None:
        self._max_images = max_images
        self._uploads: list[Upload] = []
        self._header_bytes = 0
        self._filename: str | None = None
        self._content = bytearray()
        self._body = Multipart(boundary, self)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body; raises MalformedRequest and TooManyImages."""
        self._body.feed(chunk)

    def uploads(self) -> list[Upload]:
        """The images, once all of the body is in; raises MalformedRequest and EmptyImage."""
        if self._body.complete and not self._uploads:
            raise EmptyImage(f"the multipart body has no part; send the image as '{FIELD}'")
        if not self._body.complete:
            raise MalformedRequest("the multipart body ends before its closing boundary")
        return self._uploads

    def part_begins(self) -> None:
        """Make room for one more image; raises TooManyImages."""
        if len(self._uploads) == self._max_images:
            raise TooManyImages(
                f"the body has more than {self._max_images} parts, the most that one request may "
                "have; spread the images over several requests"
            )
        self._header_bytes = 0
        self._content = bytearray()

    def header_grows(self, size: int) -> None:
        """Count a part's headers; raises MalformedRequest."""
        self._header_bytes += size
        if self._header_bytes > _MAX_HEADER_BYTES:
            raise MalformedRequest(f"a part's headers exceed {_MAX_HEADER_BYTES} bytes")

    def part_is_named(self, parameters: Parameters) -> None:
        """Keep the file's name; raises MalformedRequest where the part is no image."""
        name = _text(parameters.get(b"name", b""))
        if name != FIELD:
            raise MalformedRequest(
                f"a part is named {name[:64]!r}; every part has to be an image named '{FIELD}'"
            )
        self._filename = plain_name(_text(parameters.get(b"filename", b"")))

    def data(self, piece: bytes) -> None:
        """Keep a piece of the image."""
        self._content += piece

    def part_ends(self) -> None:
        """Take the image."""
        content = bytes(self._content) or EmptyImage(f"this part named '{FIELD}' has no bytes")
        self._uploads.append(Upload(self._filename, content))


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
