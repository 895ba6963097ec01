"""Wake-ups: where they go, and what becomes of one that cannot be sent."""

from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import pytest

from tests.worker.records import record
from tests.worker.redis_server import RedisServer
from worker.errors import RedisNotSet
from worker.jobs import JobKind, Queue
from worker.queue import Dispatch, broker_url
from worker.settings import JobSettings


def _settings(server: RedisServer) -> JobSettings:
    return JobSettings(redis_url=server.url, redis_prefix="test")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("redis://host:6379/1", "redis://host:6379/1"),
        (
            "rediss://:secret@host/0?ssl_cert_reqs=none",
            "rediss://:secret@host/0?ssl_cert_reqs=none",
        ),
        ("unix:///var/redis/redis.sock", "redis+socket:///var/redis/redis.sock"),
        ("unix:///a%20b/redis.sock?db=3", "redis+socket:///a%20b/redis.sock?virtual_host=3"),
        ("unix://user:secret@/redis.sock", "redis+socket://user:secret@/redis.sock"),
    ],
)
def test_an_address_is_spelled_as_celery_wants_it(given: str, expected: str) -> None:
    assert broker_url(given) == expected


def test_a_socket_with_a_space_in_its_path_and_another_database_are_found(
    redis_server: RedisServer,
) -> None:
    with TemporaryDirectory(suffix="a b") as folder:
        link = Path(folder) / "redis.sock"
        link.symlink_to(redis_server.socket)
        settings = JobSettings(redis_url=f"unix://{quote(str(link))}?db=3", redis_prefix="test")
        dispatch = Dispatch.open(settings)
        dispatch(record())
        assert dispatch.waiting(Queue.CPU) == 1
        dispatch.close()
    with redis_server.client() as other:
        assert other.dbsize() == 0


def test_a_job_goes_to_the_queue_of_its_kind(redis_server: RedisServer) -> None:
    dispatch = Dispatch.open(_settings(redis_server))
    dispatch(record(JobKind.FINETUNE))
    assert (dispatch.waiting(Queue.GPU), dispatch.waiting(Queue.CPU)) == (1, 0)
    dispatch(record(JobKind.IMPORT))
    assert (dispatch.waiting(Queue.GPU), dispatch.waiting(Queue.CPU)) == (1, 1)
    dispatch.close()


def test_a_wake_up_that_cannot_be_sent_is_no_error(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    dispatch = Dispatch.open(_settings(redis_server))
    made = record()
    redis_server.kill()
    dispatch(made)
    assert f"no worker was woken for job {made.id}, the sweep will" in caplog.text
    redis_server.start()
    dispatch(made)
    assert dispatch.waiting(Queue.CPU) == 1
    dispatch.close()


def test_without_a_redis_there_is_no_queue() -> None:
    with pytest.raises(RedisNotSet, match="set REDIS_URL"):
        Dispatch.open(JobSettings(redis_url=None))
