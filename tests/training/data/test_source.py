"""Folders and zip files as sources: the same names and bytes, and nothing outside their root."""

import multiprocessing
import os
import pickle
import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.training.data.layouts import PACKINGS, Files, write_folder, write_zip
from training.data.source import (
    ConflictingFiles,
    FolderSource,
    UnreadableSource,
    UnsafePath,
    ZipSource,
    open_source,
)

FILES: Files = {"b/2.jpg": b"two", "a/1.jpg": b"one", "labels.csv": b"x\n"}


@pytest.mark.parametrize("how", PACKINGS)
def test_every_packing_gives_the_same_sorted_names_and_bytes(
    tmp_path: Path, how: Callable[[Path, Files], list[Path]]
) -> None:
    source = open_source(how(tmp_path, FILES))
    assert source.names() == ("a/1.jpg", "b/2.jpg", "labels.csv")
    assert {name: source.read(name) for name in source.names()} == FILES


@pytest.mark.parametrize("how", PACKINGS)
def test_one_shared_top_folder_is_stripped(
    tmp_path: Path, how: Callable[[Path, Files], list[Path]]
) -> None:
    files = {f"FI/{name}": content for name, content in FILES.items()}
    source = open_source(how(tmp_path, files))
    assert source.names() == tuple(sorted(FILES))
    assert source.read("a/1.jpg") == b"one"
    assert "FI/" in source.description


def test_a_top_folder_that_not_all_share_is_kept(tmp_path: Path) -> None:
    paths = [write_zip(tmp_path / "a.zip", {"FI/train/x.jpg": b"1", "readme.txt": b"2"})]
    assert open_source(paths).names() == ("FI/train/x.jpg", "readme.txt")


@pytest.mark.parametrize("folder", ["train", "Train", "test", "images"])
def test_a_lone_folder_that_means_something_is_kept(tmp_path: Path, folder: str) -> None:
    write_folder(tmp_path, {f"{folder}/awe/1.jpg": b"1"})
    assert open_source([tmp_path]).names() == (f"{folder}/awe/1.jpg",)


@pytest.mark.parametrize("how", PACKINGS)
def test_hidden_files_and_those_of_a_mac_are_left_out(
    tmp_path: Path, how: Callable[[Path, Files], list[Path]]
) -> None:
    clutter = {".DS_Store": b"", "a/.cache/x": b"", "__MACOSX/a/._1.jpg": b""}
    assert open_source(how(tmp_path, FILES | clutter)).names() == tuple(sorted(FILES))


@pytest.mark.parametrize(
    "name", ["../outside.jpg", "a/../../outside.jpg", "/etc/passwd", "a\\b.jpg", "C:/x.jpg"]
)
def test_a_zip_that_names_a_path_out_of_its_root_is_refused(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / "evil.zip", {name: b"x"})
    with pytest.raises(UnsafePath, match="pack the data set again"):
        ZipSource(path)


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UnsafePath, match="is a link"):
        ZipSource(tmp_path / "link.zip")


@pytest.mark.parametrize("target", ["/etc", "/etc/passwd", "../outside"])
def test_a_link_out_of_a_folder_is_refused(tmp_path: Path, target: str) -> None:
    write_folder(tmp_path, {"outside": b"x", "root/a.jpg": b"1"})
    (tmp_path / "root" / "link").symlink_to(target)
    with pytest.raises(UnsafePath, match=r"root/link leads out of .*/root; copy") as caught:
        FolderSource(tmp_path / "root")
    assert target.removeprefix("..") not in str(caught.value)


def test_a_link_that_turns_outward_after_listing_is_refused_when_read(tmp_path: Path) -> None:
    write_folder(tmp_path, {"outside": b"x", "root/a.jpg": b"1"})
    source = FolderSource(tmp_path / "root")
    (tmp_path / "root" / "a.jpg").unlink()
    (tmp_path / "root" / "a.jpg").symlink_to(tmp_path / "outside")
    with pytest.raises(UnsafePath):
        source.read("a.jpg")


def test_a_link_to_a_file_inside_the_folder_is_read(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a.jpg": b"1"})
    (tmp_path / "b.jpg").symlink_to("a.jpg")
    assert FolderSource(tmp_path).read("b.jpg") == b"1"


def test_a_link_to_a_folder_inside_is_refused_so_that_nothing_is_read_in_a_circle(
    tmp_path: Path,
) -> None:
    write_folder(tmp_path, {"a/1.jpg": b"1"})
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    with pytest.raises(UnsafePath, match="link to a folder"):
        FolderSource(tmp_path)


def test_a_root_that_is_itself_a_link_is_followed(tmp_path: Path) -> None:
    write_folder(tmp_path / "real", FILES)
    (tmp_path / "link").symlink_to("real")
    assert FolderSource(tmp_path / "link").read("a/1.jpg") == b"one"


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "missing.jpg", "a"])
def test_only_listed_files_can_be_read(tmp_path: Path, name: str) -> None:
    write_folder(tmp_path / "root", FILES)
    write_folder(tmp_path, {"secret": b"x"})
    for source in (FolderSource(tmp_path / "root"), ZipSource(write_zip(tmp_path / "z", FILES))):
        with pytest.raises((UnreadableSource, UnsafePath), match=name):
            source.read(name)


def test_the_same_file_in_two_zips_is_one_file(tmp_path: Path) -> None:
    paths = [write_zip(tmp_path / f"{n}.zip", FILES) for n in range(2)]
    assert ZipSource(*paths).names() == tuple(sorted(FILES))


def test_one_name_with_two_contents_is_an_error_that_names_both_zips(tmp_path: Path) -> None:
    first = write_zip(tmp_path / "first.zip", FILES)
    second = write_zip(tmp_path / "second.zip", {"a/1.jpg": b"other"})
    with pytest.raises(ConflictingFiles, match=r"a/1\.jpg.*first\.zip.*second\.zip"):
        ZipSource(first, second)


def test_a_damaged_member_is_named(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"1.jpg": b"content"})
    path.write_bytes(path.read_bytes().replace(b"content", b"c0ntent"))
    with pytest.raises(UnreadableSource, match=r"1\.jpg"):
        ZipSource(path).read("1.jpg")


@pytest.mark.parametrize(
    "given",
    [
        [],
        ["missing.zip"],
        ["a.txt"],
        ["folder", "folder"],
        ["folder", "a.zip"],
        ["folder", "b.txt"],
    ],
)
def test_paths_that_make_no_source_are_named_with_what_was_expected(
    tmp_path: Path, given: list[str]
) -> None:
    write_folder(tmp_path, {"a.txt": b"x", "folder/x": b"x"})
    write_zip(tmp_path / "a.zip", {"y": b"y"})
    with pytest.raises(UnreadableSource, match="expected one existing folder"):
        open_source([tmp_path / name for name in given])


@pytest.mark.parametrize("how", PACKINGS)
def test_single_files_lie_at_the_root_beside_a_folder_or_zip_files(
    tmp_path: Path, how: Callable[[Path, Files], list[Path]]
) -> None:
    write_folder(tmp_path, {"lists/ANPs.txt": b"list"})
    paths = how(tmp_path, {f"FI/{name}": content for name, content in FILES.items()})
    source = open_source([*paths, tmp_path / "lists" / "ANPs.txt"])
    assert source.names() == ("ANPs.txt", *sorted(FILES))
    assert source.read("ANPs.txt") == b"list"
    assert source.read("a/1.jpg") == b"one"
    assert "ANPs.txt" in source.description


@pytest.mark.parametrize("names", [["x/labels.csv"], ["x/other.csv", "y/other.csv"]])
def test_single_files_need_names_of_their_own(tmp_path: Path, names: list[str]) -> None:
    write_folder(tmp_path, dict.fromkeys(names, b""))
    paths = [write_folder(tmp_path / "set", FILES), *(tmp_path / name for name in names)]
    with pytest.raises(ConflictingFiles, match="expected names of their own"):
        open_source(paths)


def test_a_member_that_lies_about_its_size_is_not_unpacked_beyond_it(tmp_path: Path) -> None:
    path, size = tmp_path / "a.zip", 64 * 2**20
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.jpg", bytes(size))
    path.write_bytes(path.read_bytes().replace(struct.pack("<L", size), struct.pack("<L", 10)))
    source = ZipSource(path)
    tracemalloc.start()
    with pytest.raises(UnreadableSource, match=r"1\.jpg"):
        source.read("1.jpg")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def test_a_member_shorter_than_it_says_is_named(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"1.jpg": b"seven b"})
    lying = path.read_bytes().replace(struct.pack("<LL", 7, 7), struct.pack("<LL", 7, 9))
    path.write_bytes(lying)
    with pytest.raises(UnreadableSource, match="where 9 were declared"):
        ZipSource(path).read("1.jpg")


def test_a_zip_that_is_none_is_named(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a.zip": b"no zip"})
    with pytest.raises(UnreadableSource, match=r"a\.zip cannot be read as a zip file"):
        open_source([tmp_path / "a.zip"])


def _all_contents(source: ZipSource) -> Files:
    return {name: source.read(name) for name in source.names()}


def test_a_zip_source_is_read_by_many_threads_at_once(tmp_path: Path) -> None:
    files = {f"{n}.bin": os.urandom(5000) for n in range(50)}
    source = ZipSource(write_zip(tmp_path / "a.zip", files))
    with ThreadPoolExecutor(8) as pool:
        contents = list(pool.map(source.read, list(files) * 4))
    assert contents == list(files.values()) * 4


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_zip_source_that_was_read_is_read_again_by_other_processes(
    tmp_path: Path, start: str
) -> None:
    files = {f"{n}.bin": os.urandom(5000) for n in range(20)}
    source = ZipSource(write_zip(tmp_path / "a.zip", files))
    assert source.read("0.bin") == files["0.bin"]
    context = multiprocessing.get_context(start)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        assert list(pool.map(_all_contents, [source] * 3)) == [files] * 3


def test_a_pickled_zip_source_reads_the_same(tmp_path: Path) -> None:
    source = ZipSource(write_zip(tmp_path / "a.zip", FILES))
    source.read("a/1.jpg")
    assert _all_contents(pickle.loads(pickle.dumps(source))) == FILES
