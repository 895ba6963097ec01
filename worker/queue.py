"""Wakes workers: a message says that a job may be ready, and no more.

What counts is the claim, so that a message that is lost or doubled does no harm.
"""

import logging
from typing import Any, Self, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import kombu
import redis
from celery import Celery
from kombu.exceptions import KombuError

from worker.errors import RedisNotSet
from worker.jobs import JobRecord, Queue
from worker.settings import JobSettings

TASK = "job.run"
_CONNECT_S = 5
_LOG = logging.getLogger(__name__)


def celery_app(settings: JobSettings) -> Celery:
    """The Celery application of senders and workers; raises RedisNotSet."""
    if settings.redis_url is None:
        raise RedisNotSet
    app = Celery("sentiscope", broker=broker_url(settings.redis_url), set_as_current=False)
    app.conf.update(_configuration(settings.redis_prefix))
    return app


def broker_url(redis_url: str) -> str:
    """How Celery writes the address of a Redis; for a unix socket it has a spelling of its own."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    query = dict(parse_qsl(parts.query))
    if "db" in query:
        query["virtual_host"] = query.pop("db")
    credentials = parts.netloc.rpartition("@")[0]
    user = f"{credentials}@" if credentials else ""
    return f"redis+socket://{user}{parts.path}" + (f"?{urlencode(query)}" if query else "")


class Dispatch:
    """Sends wake-ups. It never fails: the sweep makes up for a message that was not sent."""

    def __init__(self, app: Celery, client: redis.Redis, *, prefix: str) -> None:
        self._app = app
        self._client = client
        self._prefix = prefix

    @classmethod
    def open(cls, settings: JobSettings) -> Self:
        """Connects when it is first used; raises RedisNotSet."""
        app = celery_app(settings)
        client = redis.Redis.from_url(cast(str, settings.redis_url), decode_responses=True)
        return cls(app, client, prefix=settings.redis_prefix)

    def __call__(self, record: JobRecord) -> None:
        """Wake a worker of the queue the job waits in; a pipeline waits in none."""
        if record.queue is not None:
            self.wake(record.id, record.queue)

    def wake(self, job_id: str, queue: Queue) -> None:
        """Wake a worker of `queue` for a job."""
        try:
            self._app.send_task(TASK, args=[job_id], queue=queue.value, retry=False)
        except (KombuError, redis.RedisError, OSError) as error:
            _LOG.warning("no worker was woken for job %s, the sweep will: %s", job_id, error)

    def waiting(self, queue: Queue) -> int:
        """Messages that no worker has taken yet."""
        return self._client.llen(_key_prefix(self._prefix) + queue.value)

    def close(self) -> None:
        """Give the connections back."""
        self._app.close()
        self._client.close()


def _key_prefix(prefix: str) -> str:
    return f"{prefix}:broker:"


def _configuration(prefix: str) -> dict[str, Any]:
    return {
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_backend": None,
        "task_ignore_result": True,
        "task_queues": [
            kombu.Queue(queue.value, kombu.Exchange(queue.value), routing_key=queue.value)
            for queue in Queue
        ],
        "task_default_queue": Queue.CPU.value,
        # Acknowledged when it starts: with late acknowledgement Redis hands a task out again that
        # is longer than its visibility timeout. The lease recovers what a dead worker leaves.
        "task_acks_late": False,
        "worker_disable_prefetch": True,
        "worker_concurrency": 1,
        "worker_pool": "prefork",
        "worker_pool_start_method": "fork",  # children inherit the pipe of worker/stopping.py
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # A Redis that went away comes back: workers wait for it, however long.
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_connection_timeout": _CONNECT_S,
        "broker_transport_options": {
            "global_keyprefix": _key_prefix(prefix),
            "socket_connect_timeout": _CONNECT_S,
            "socket_keepalive": True,
            "health_check_interval": 10,
            "max_retries": 1,  # of a sender; a worker's are broker_connection_max_retries
        },
    }
