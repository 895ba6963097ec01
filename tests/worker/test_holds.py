"""A data set is not deleted under a job, nor taken while it is deleted."""

import pytest

from tests.worker.records import record
from worker.status import JobStatus
from worker.store import DatasetInUse, DatasetUnavailable, JobStore


def _is_free(store: JobStore, name: str) -> bool:
    try:
        with store.forget_dataset(name):
            return True
    except DatasetInUse:
        return False


def test_a_data_set_that_is_read_is_not_forgotten(store: JobStore) -> None:
    made = [record(datasets=("photos", "art")), record(datasets=("photos",))]
    store.create(made)
    with (
        pytest.raises(DatasetInUse, match="read by 2 job") as caught,
        store.forget_dataset("photos"),
    ):
        pass
    assert caught.value.job_ids == tuple(sorted(job.id for job in made))
    assert _is_free(store, "unread")


def test_a_data_set_is_held_until_its_jobs_have_ended(store: JobStore) -> None:
    made = store.create([record(datasets=("photos",))])
    for status in (JobStatus.PAUSED, JobStatus.QUEUED):
        store.move(made.id, status)
        assert not _is_free(store, "photos")
    store.move(made.id, JobStatus.CANCELLED)
    assert _is_free(store, "photos")
    store.move(made.id, JobStatus.QUEUED)
    assert not _is_free(store, "photos")


def test_a_data_set_that_is_deleted_is_unavailable(store: JobStore) -> None:
    ended = store.create([record(datasets=("photos",))])
    store.move(ended.id, JobStatus.CANCELLED)
    with store.forget_dataset("photos"):
        with pytest.raises(DatasetUnavailable, match="photos is being deleted"):
            store.create([record(datasets=("photos",))])
        with pytest.raises(DatasetUnavailable):
            store.move(ended.id, JobStatus.QUEUED)
        with pytest.raises(DatasetUnavailable), store.forget_dataset("photos"):
            pass
        with pytest.raises(DatasetUnavailable):
            store.create([record(datasets=("photos",))])
    assert store.create([record(datasets=("photos",))])
    assert store.get(ended.id).status is JobStatus.CANCELLED


def test_a_deletion_that_failed_lets_readers_in_again(store: JobStore) -> None:
    with pytest.raises(OSError, match="full"), store.forget_dataset("photos"):
        raise OSError("the disk is full")
    assert store.create([record(datasets=("photos",))])


def test_a_deletion_whose_process_died_does_not_keep_readers_off_for_ever(store: JobStore) -> None:
    deletion = store.forget_dataset("photos")
    deletion.__enter__()
    left = store.client.pttl("test:dataset:photos:forgetting")
    assert 0 < left <= 10 * 60_000
