import pytest

from app.bounded_file import BoundedFile
from app.decoding import decode
from app.errors import BrokenImage
from tests.app.pictures import encoded, noise


def test_it_reads_like_a_file() -> None:
    file = BoundedFile(b"abcdef")
    assert file.read(2) == b"ab"
    assert file.tell() == 2
    file.seek(4)
    assert file.read() == b"ef"


def test_reads_beyond_the_bound_are_refused() -> None:
    file = BoundedFile(b"abc", reads=3)
    assert [file.read(1) for _ in range(3)] == [b"a", b"b", b"c"]
    with pytest.raises(BrokenImage, match="more than some 3 pieces"):
        file.read(1)


@pytest.mark.parametrize("piece", [b"\xff", b"\xff\xfe\0\2"])
def test_image_of_a_million_pieces_is_refused_and_one_of_a_thousand_is_read(piece: bytes) -> None:
    content = encoded(noise((40, 30)), "JPEG")
    assert decode(content[:2] + piece * 1000 + content[2:], needed=16, max_pixels=5000).width == 40
    with pytest.raises(BrokenImage, match="pieces"):
        decode(content[:2] + piece * 1_000_000 + content[2:], needed=16, max_pixels=5000)
