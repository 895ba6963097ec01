"""Real processes of a real service: what ends with one of them, and what does not."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.app.client import assert_problem, publish_tiny
from tests.app.pictures import encoded, noise, solid
from tests.app.server import Server, post_image, served
from tests.processes import is_alive, until
from tests.tiny_bundle import tiny_writer

_PATIENCE_S = 60.0
_SLOW = (3000, 3000)


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in listed if is_alive(int(each))]


def _nursery(server: Server) -> int:
    """The service's only child."""
    (found,) = _children(server.process.pid)
    return found


def _hands(server: Server) -> list[int]:
    """The processes that run images: the nursery's children."""
    return _children(_nursery(server))


def _measured(server: Server, name: str) -> float:
    told = httpx.get(f"{server.url}/metrics").text
    (line,) = [line for line in told.splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[1])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A service with two processes."""
    publish_tiny(tmp_path)
    with served(tmp_path, workers=2) as running:
        yield running


def test_as_many_processes_run_images_as_there_are_workers(server: Server) -> None:
    assert len(_hands(server)) == 2
    assert _measured(server, "sentiscope_inference_processes") == 2
    assert post_image(server.url, encoded(solid())).status_code == 200


def test_with_threads_there_is_no_other_process(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    with served(tmp_path, executor="threads") as server:
        assert _children(server.process.pid) == []
        assert post_image(server.url, encoded(solid())).status_code == 200


def test_a_process_that_is_killed_is_started_anew_with_its_models(server: Server) -> None:
    before = _hands(server)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(set(_hands(server)) - set(before)) == 2 or None, timeout_s=_PATIENCE_S)
    for _ in range(4):
        assert post_image(server.url, encoded(solid())).status_code == 200
    assert _measured(server, "sentiscope_inference_processes_lost") == 2


def test_an_image_whose_process_is_killed_is_answered_and_the_others_too(server: Server) -> None:
    answers: list[httpx.Response] = []
    slow = encoded(noise(_SLOW))

    def ask() -> None:
        answers.append(post_image(server.url, slow))

    asking = [threading.Thread(target=ask) for _ in range(6)]
    for thread in asking:
        thread.start()
    until(lambda: _measured(server, "sentiscope_queue_images") >= 3 or None, timeout_s=_PATIENCE_S)
    os.kill(_hands(server)[0], signal.SIGKILL)
    for thread in asking:
        thread.join(_PATIENCE_S)
    lost = [answer for answer in answers if answer.status_code != 200]
    assert len(answers) == 6
    assert 1 <= len(lost) <= 2  # what it worked on, and what it was sent beforehand
    for answer in lost:
        assert_problem(answer, 503)
        assert answer.json()["type"].endswith("inference-lost")
    assert _measured(server, "sentiscope_queue_images") == 0


def test_a_service_whose_processes_all_end_is_not_ready_until_there_are_new_ones(
    server: Server,
) -> None:
    def refused() -> httpx.Response | None:
        for pid in _hands(server):
            os.kill(pid, signal.SIGKILL)
        told = httpx.get(f"{server.url}/health/ready")
        return told if told.status_code != 200 else None

    assert_problem(until(refused, timeout_s=_PATIENCE_S), 503)
    until(
        lambda: httpx.get(f"{server.url}/health/ready").status_code == 200 or None,
        timeout_s=_PATIENCE_S,
    )
    assert post_image(server.url, encoded(solid())).status_code == 200


def test_no_process_outlives_a_service_that_is_killed(server: Server) -> None:
    left = [_nursery(server), *_hands(server)]
    server.process.kill()
    until(lambda: None if any(map(is_alive, left)) else True, timeout_s=_PATIENCE_S)


_FORK_FAILS_ONCE = """
import os
fork, works = os.fork, iter((True, False))
def failing():
    if next(works, True):
        return fork()
    raise BlockingIOError
os.fork = failing  # a machine with no process left, which root cannot bring about
from app.main import main
main()
"""


def test_a_process_that_cannot_be_started_is_started_later(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    with served(tmp_path, "-c", _FORK_FAILS_ONCE, workers=2) as server:
        assert post_image(server.url, encoded(solid())).status_code == 200
        until(lambda: len(_hands(server)) == 2 or None, timeout_s=_PATIENCE_S)
        assert _measured(server, "sentiscope_inference_processes_lost") == 1


def test_a_service_that_can_start_no_process_ends(server: Server) -> None:
    nursery, hands = _nursery(server), _hands(server)
    os.kill(nursery, signal.SIGKILL)
    os.kill(hands[0], signal.SIGKILL)
    server.process.wait(_PATIENCE_S)
    assert server.process.stderr
    assert "no process can be started any more" in server.process.stderr.read()


def test_promotions_and_deletions_cost_no_request(tmp_path: Path) -> None:
    registry, promoted, over = publish_tiny(tmp_path), Promotions(), threading.Event()
    content = encoded(solid())
    with served(tmp_path, workers=2) as server, ThreadPoolExecutor(4) as pool:

        def ask() -> list[Asked]:
            asked = []
            while not over.is_set():
                began = time.monotonic()
                answer = post_image(server.url, content)
                asked.append(Asked(began, time.monotonic(), answer))
            return asked

        asking = [pool.submit(ask) for _ in range(4)]
        try:
            for number in range(2, 12):
                registry.publish("tiny", tiny_writer("tiny"))
                with promoted.noted():
                    production = f"{server.url}/v1/models/tiny/aliases/production"
                    told = httpx.put(production, json={"version": str(number)}, timeout=60)
                assert told.status_code == 200
                idle = f"{server.url}/v1/models/tiny/versions/{number - 1}"
                assert httpx.delete(idle, timeout=60).status_code == 204
        finally:
            over.set()
    answers = [each for done in asking for each in done.result()]
    assert [each.answer.text for each in answers if each.answer.status_code != 200] == []
    versions = {int(each.answer.json()["model"]["version"]) for each in answers}
    assert len(versions) > 3
    for each in answers:
        version = int(each.answer.json()["model"]["version"])
        assert version in promoted.meant_between(each.began, each.ended)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and its answer."""

    began: float
    ended: float
    answer: httpx.Response


@dataclass(frozen=True, slots=True)
class Promotions:
    """When each version after the first was being promoted: one after the other."""

    spans: list[tuple[float, float]] = field(default_factory=list)

    @contextmanager
    def noted(self) -> Iterator[None]:
        """The next one is promoted in this block."""
        began = time.monotonic()
        yield
        self.spans.append((began, time.monotonic()))

    def meant_between(self, began: float, ended: float) -> range:
        """Versions that production may have meant at some time between the two."""
        before = sum(done <= began for _, done in self.spans)
        started = sum(start <= ended for start, _ in self.spans)
        return range(1 + before, 2 + started)


def test_a_moved_alias_is_loaded_by_all_processes(tmp_path: Path) -> None:
    registry = publish_tiny(tmp_path)
    with served(tmp_path, workers=2) as server:
        registry.publish("tiny", tiny_writer("tiny"))
        told = httpx.put(
            f"{server.url}/v1/models/tiny/aliases/production", json={"version": "2"}, timeout=60
        )
        assert told.status_code == 200
        for _ in range(4):
            answer = post_image(server.url, encoded(solid())).json()
            assert answer["model"]["version"] == "2"
        deleted = httpx.delete(f"{server.url}/v1/models/tiny/versions/1", timeout=60)
        assert deleted.status_code == 204
        assert post_image(server.url, encoded(solid())).status_code == 200
