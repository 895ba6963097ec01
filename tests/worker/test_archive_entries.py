"""What only the whole of an archive's entries shows."""

from contextlib import nullcontext
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.archive_entries import ArchiveLimits, Inventory, UnsafeEntry

PARTS = st.sampled_from(["a", "b", "a-", "a.b"])


@given(st.sets(st.lists(PARTS, min_size=1, max_size=4).map("/".join), min_size=1))
def test_an_archive_is_refused_if_and_only_if_a_file_lies_below_another(names: set[str]) -> None:
    inventory = Inventory(ArchiveLimits(max_files=1000, max_unpacked_bytes=100))
    for name in names:
        inventory.add_file(name, 0)
    parents = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    with pytest.raises(UnsafeEntry) if parents & names else nullcontext():
        inventory.close()


@pytest.mark.timeout(10)  # each file's 500 parents, looked at one by one, take a minute
def test_deep_folders_are_checked_in_no_time() -> None:
    inventory = Inventory(ArchiveLimits(max_files=10_000, max_unpacked_bytes=100))
    for number in range(5_000):
        inventory.add_file(f"{number}/{'b/' * 500}x.jpg", 0)
    inventory.close()
