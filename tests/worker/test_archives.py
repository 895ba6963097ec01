"""What is refused of an archive from a stranger, before anything of it is unpacked."""

import gzip
import io
import lzma
import stat
import struct
import tarfile
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.worker.packing import (
    TAR_MODES,
    raw_zip,
    regular,
    special,
    tar_of,
    tarred,
    zip_link,
    zipped,
)
from training.data.source import ZipSource, is_safe
from worker.archive_entries import (
    ArchiveLimits,
    BadArchive,
    NotAnArchive,
    TooMuchInArchive,
    UnsafeEntry,
    checked_name,
)
from worker.archives import limits_of, settle
from worker.settings import GIB, MIB, JobSettings

LIMITS = ArchiveLimits(max_files=20, max_unpacked_bytes=MIB)
FILES = {"set/train/glad/1.jpg": b"one", "set/labels.csv": b"x\n", "set/leer": b""}
UNSAFE = {
    "../outside.jpg": "by '..'",
    "a/../../outside.jpg": "by '..'",
    "/etc/passwd": "absolute",
    "a\\b.jpg": "backslash",
    "C:/x.jpg": "drive letter",
    "a\nb.jpg": "control characters",
    "x" * 300: "too long",
    "/".join(["deep"] * 300): "too long",
}
Archive = Callable[[Path, dict[str, bytes]], Path]


def no_room_needed(wanted: int) -> None:
    assert wanted >= 0


def settled(path: Path, limits: ArchiveLimits = LIMITS) -> int:
    return settle([path], limits, room=no_room_needed)


def contents(path: Path) -> dict[str, bytes]:
    source = ZipSource(path)
    return {name: source.read(name) for name in source.names()}


@pytest.mark.parametrize("name", ["a.zip", *TAR_MODES])
def test_every_kind_of_archive_becomes_a_zip_of_the_same_files(tmp_path: Path, name: str) -> None:
    path = (zipped if name == "a.zip" else tarred)(tmp_path / name, FILES)
    assert settled(path) == 5
    assert contents(path) == FILES
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_of_every_tar_format_are_kept(tmp_path: Path, format: int) -> None:
    files = {f"{'deep/' * 25}ä-{n}.jpg": b"x" * n for n in (0, 1, 511, 512, 513)}
    path = tarred(tmp_path / "a.tar", files, format)
    settled(path)
    assert contents(path) == files


def test_names_are_shortened_and_folders_are_not_files(tmp_path: Path) -> None:
    folder = special("./", tarfile.DIRTYPE)
    path = tar_of(tmp_path / "a.tar", [folder, regular("./a/./b//1.jpg")])
    settled(path)
    assert contents(path) == {"a/b/1.jpg": b""}


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("name", UNSAFE)
def test_entry_of_an_unsafe_name_is_refused_by_name(tmp_path: Path, kind: str, name: str) -> None:
    pack: Archive = zipped if kind == "zip" else tarred
    path = pack(tmp_path / f"a.{kind}", {"fine.jpg": b"1", name: b"x"})
    with pytest.raises(UnsafeEntry, match=UNSAFE[name]) as raised:
        settled(path)
    assert repr(name)[1:60] in str(raised.value)
    assert [file.name for file in tmp_path.iterdir()] == [f"a.{kind}"]


@pytest.mark.parametrize("name", [n for n in UNSAFE if "/" not in n[:1] and len(n) < 300])
def test_unsafe_folders_are_refused_too(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafeEntry):
        settled(zipped(tmp_path / "a.zip", {f"{name}/": b"", "1.jpg": b"1"}))


def test_a_name_cut_short_by_a_zero_byte_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"good.jpg#/../x": b"1"})
    path.write_bytes(path.read_bytes().replace(b"#", b"\0"))
    with pytest.raises(UnsafeEntry):
        settled(path)


def test_a_tar_name_that_is_not_unicode_is_refused(tmp_path: Path) -> None:
    path = tarred(tmp_path / "a.tar", {"caf?.jpg": b"1"}, tarfile.USTAR_FORMAT)
    header = bytearray(path.read_bytes())
    header[3], header[148:156] = 0xE9, b" " * 8
    header[148:155] = b"%06o\0" % sum(header[:512])
    path.write_bytes(bytes(header))
    with pytest.raises(UnsafeEntry, match="not UTF-8"):
        settled(path)


@example("./a:")
@given(st.text(min_size=1, max_size=40) | st.from_regex(r"[a./\\:]{1,12}", fullmatch=True))
def test_a_name_that_passes_is_one_that_imports_take(name: str) -> None:
    try:
        found = checked_name(name)
    except UnsafeEntry:
        return
    assert not found or is_safe(found)
    assert checked_name(found or ".") == found


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_link_or_device_in_a_zip_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(UnsafeEntry, match=r"odd\.jpg"):
        settled(zip_link(tmp_path / "a.zip", "odd.jpg", mode))


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.GNUTYPE_SPARSE,
        b"Z",
    ],
)
def test_link_device_or_sparse_file_in_a_tar_is_refused(tmp_path: Path, kind: bytes) -> None:
    entries = [regular("1.jpg"), special("odd.jpg", kind, "/etc/passwd")]
    with pytest.raises(BadArchive, match=r"odd\.jpg"):
        settled(tar_of(tmp_path / "a.tar", entries))


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_two_entries_of_one_name_are_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "zip":
        raw_zip(path, ["a/1.jpg", "a//1.jpg"])
    else:
        tar_of(path, [regular("a/1.jpg"), regular("./a/1.jpg")])
    with pytest.raises(UnsafeEntry, match=r"two entries 'a/1\.jpg'"):
        settled(path)


def test_a_file_below_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeEntry, match=r"'a/b/1\.jpg' below 'a'"):
        settled(zipped(tmp_path / "a.zip", {"a": b"1", "a/b/1.jpg": b"2"}))


@pytest.mark.parametrize("flags", [0x1, 0x41, 0x20])
def test_encrypted_or_patched_entry_is_refused(tmp_path: Path, flags: int) -> None:
    with pytest.raises(UnsafeEntry, match=r"1\.jpg"):
        settled(raw_zip(tmp_path / "a.zip", ["1.jpg"], flags=flags))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zip_methods_that_unpack_without_bound_are_refused(tmp_path: Path, method: int) -> None:
    with pytest.raises(UnsafeEntry, match="expected stored or deflated"):
        settled(zipped(tmp_path / "a.zip", {"1.jpg": b"1"}, method))


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_an_archive_at_its_limit_of_files_is_taken_and_one_more_is_not(
    tmp_path: Path, pack: Archive
) -> None:
    files = {f"{n}.jpg": b"" for n in range(20)}
    name = "a.zip" if pack is zipped else "a.tar"
    assert settled(pack(tmp_path / name, files)) == 0
    with pytest.raises(TooMuchInArchive, match="more than 20 files"):
        settled(pack(tmp_path / name, {**files, "20.jpg": b""}))


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_an_archive_that_unpacks_to_more_than_the_limit_is_refused(
    tmp_path: Path, pack: Archive
) -> None:
    name = "a.zip" if pack is zipped else "a.tar.gz"
    half = bytes(MIB // 2)
    assert settled(pack(tmp_path / name, {"1": half, "2": half})) == MIB
    with pytest.raises(TooMuchInArchive, match="at '3'"):
        settled(pack(tmp_path / name, {"1": half, "2": half, "3": b"x"}))
    small = replace(LIMITS, max_file_bytes=100)
    with pytest.raises(TooMuchInArchive, match="of one file"):
        settled(pack(tmp_path / name, {"1": half}), small)


def test_limits_are_of_all_archives_together(tmp_path: Path) -> None:
    paths = [zipped(tmp_path / f"{n}.zip", {f"{n}.jpg": b"1"}) for n in range(3)]
    assert settle(paths, LIMITS, room=no_room_needed) == 3
    with pytest.raises(TooMuchInArchive):
        settle(paths, replace(LIMITS, max_files=2), room=no_room_needed)
    with pytest.raises(TooMuchInArchive):
        settle(paths, replace(LIMITS, max_unpacked_bytes=2), room=no_room_needed)


DEFAULTS = limits_of(JobSettings())
SOON = replace(DEFAULTS, ratio_free_bytes=MIB)


def test_a_hundred_thousand_files_are_refused(tmp_path: Path) -> None:
    names = [f"{n}.jpg" for n in range(100_000)]
    path = raw_zip(tmp_path / "a.zip", names)
    with pytest.raises(TooMuchInArchive, match="more than 99999 files"):
        settled(path, DEFAULTS)


def test_a_list_that_would_fill_the_memory_is_not_read(tmp_path: Path) -> None:
    path = raw_zip(tmp_path / "a.zip", [f"{n}/{'x' * 200}" for n in range(100_000)])
    tracemalloc.start()
    with pytest.raises(TooMuchInArchive):
        settled(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MIB


def test_a_hundred_gigabytes_in_a_zip_are_refused_by_its_list(tmp_path: Path) -> None:
    names = [f"{n}.jpg" for n in range(500)]
    path = raw_zip(tmp_path / "a.zip", names, size=200 * MIB)
    with pytest.raises(TooMuchInArchive, match=f"more than {32 * GIB} bytes"):
        settled(path, DEFAULTS)


@pytest.mark.parametrize("declared", [200 * MIB, 2**40])
def test_sizes_of_zip64_are_read(tmp_path: Path, declared: int) -> None:
    path = tmp_path / "a.zip"
    name, extra = b"1.jpg", struct.pack("<2HQ", 1, 8, declared)
    head = struct.pack("<4s6H3L", b"PK\1\2", 45, 45, 0, 8, 0, 33, 0, 0, 0xFFFFFFFF)
    listed = head + struct.pack("<5H2L", len(name), len(extra), 0, 0, 0, 0, 0) + name + extra
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(listed), 4, 0)
    path.write_bytes(b"PK\3\4" + listed + end)
    with pytest.raises(TooMuchInArchive, match="100 times" if declared < GIB else str(2**40)):
        settled(path, DEFAULTS)


def test_a_zip_that_shrank_too_much_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"1.bmp": bytes(2 * MIB)})
    assert settled(path, DEFAULTS) == 2 * MIB
    with pytest.raises(TooMuchInArchive, match="100 times"):
        settled(path, SOON)


def test_entries_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    path = raw_zip(tmp_path / "a.zip", ["1.jpg", "2.jpg"], size=100, packed=90)
    with pytest.raises(BadArchive, match="overlap"):
        settled(path)


@pytest.mark.parametrize("name", ["a.tar.gz", "a.tar.bz2", "a.tar.xz"])
def test_a_packed_tar_that_shrank_too_much_is_given_up_early(tmp_path: Path, name: str) -> None:
    path = tarred(tmp_path / name, {f"{n}.bmp": bytes(MIB) for n in range(9)})
    written: list[int] = []
    with pytest.raises(TooMuchInArchive, match="100 times"):
        settle([path], SOON, room=written.append)
    assert sum(written) <= 3 * MIB
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_tar_that_declares_a_terabyte_is_refused_before_it_is_read(tmp_path: Path) -> None:
    header = regular("1.jpg", 2**40).tobuf(tarfile.GNU_FORMAT)
    path = tmp_path / "a.tar"
    path.write_bytes(header)
    with pytest.raises(TooMuchInArchive, match=str(2**40)):
        settled(path, DEFAULTS)


def _monstrous(kind: bytes, size: int) -> bytes:
    entry = special("x", kind)
    entry.size = size
    return entry.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_headers_that_would_fill_the_memory_are_not_read(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "a.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(_monstrous(kind, 50 * MIB) + bytes(50 * MIB))
    tracemalloc.start()
    with pytest.raises(TooMuchInArchive, match="bytes of headers"):
        settled(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MIB


def test_endless_headers_are_given_up(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes((_monstrous(tarfile.XHDTYPE, 512) + bytes(512)) * 3000)
    with pytest.raises(BadArchive):
        settled(path)


def test_an_xz_that_wants_much_memory_is_refused(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 512 * MIB}]
    path = tmp_path / "a.tar.xz"
    packer = lzma.LZMACompressor(lzma.FORMAT_XZ, filters=filters)
    path.write_bytes(packer.compress(regular("1.jpg").tobuf()) + packer.flush())
    with pytest.raises(NotAnArchive, match=r"[Mm]emory"):
        settled(path)


@pytest.mark.parametrize("name", ["a.zip", *TAR_MODES])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_an_archive_that_was_cut_off_is_refused(tmp_path: Path, name: str, part: float) -> None:
    files = {f"{n}.jpg": bytes([n]) * 3000 for n in range(4)}
    path = (zipped if name == "a.zip" else tarred)(tmp_path / name, files)
    whole = path.read_bytes().rstrip(b"\0") if name == "a.tar" else path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(NotAnArchive):
        settled(path)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_tar_cut_off_between_two_files_is_refused(tmp_path: Path) -> None:
    path = tarred(tmp_path / "a.tar", {"1.jpg": bytes(512), "2.jpg": bytes(512)})
    path.write_bytes(path.read_bytes()[:1024])
    with pytest.raises(NotAnArchive, match="cut off"):
        settled(path)


def test_a_tar_damaged_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = tarred(tmp_path / "a.tar", {"1.jpg": b"1", "2.jpg": b"2"})
    content = bytearray(path.read_bytes())
    content[1024:1030] = b"other!"
    path.write_bytes(bytes(content))
    with pytest.raises(NotAnArchive, match="damaged"):
        settled(path)


@pytest.mark.parametrize("name", ["a.tar.gz", "a.tar.bz2", "a.tar.xz"])
def test_a_packed_tar_with_a_flipped_bit_is_refused(tmp_path: Path, name: str) -> None:
    path = tarred(tmp_path / name, {"1.jpg": bytes(range(256)) * 40})
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(bytes(content))
    with pytest.raises(NotAnArchive):
        settled(path)


@given(st.binary(max_size=1200) | st.binary(max_size=600).map(lambda tail: b"PK\3\4" + tail))
def test_what_is_no_archive_is_refused_as_such(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.zip"
        path.write_bytes(content)
        with pytest.raises(BadArchive):
            settled(path)


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_an_archive_without_a_file_is_refused(tmp_path: Path, pack: Archive) -> None:
    with pytest.raises(NotAnArchive, match="no file"):
        settled(pack(tmp_path / ("a.zip" if pack is zipped else "a.tar"), {}))


def test_repacking_stops_where_there_is_no_room(tmp_path: Path) -> None:
    class Full(Exception): ...

    def full(wanted: int) -> None:
        raise Full(wanted)

    path = tarred(tmp_path / "a.tar", FILES)
    with pytest.raises(Full):
        settle([path], LIMITS, room=full)
    assert [file.name for file in tmp_path.iterdir()] == ["a.tar"]


def test_a_zip_inside_a_tar_is_a_file_like_others(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"1.jpg": b"1"}).read_bytes()
    settled(path := tarred(tmp_path / "a.tar", {"inner.zip": inner}))
    assert zipfile.is_zipfile(io.BytesIO(contents(path)["inner.zip"]))
