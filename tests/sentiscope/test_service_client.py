"""Jobs, models and data sets through the client, blocking and asynchronous; the test is worker."""

import asyncio
import json
import threading
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from models.registry import Registry
from sentiscope.client import (
    AsyncClient,
    Client,
    Conflict,
    Event,
    Invalid,
    NotFound,
    Refused,
    StillRunning,
    Unintelligible,
)
from sentiscope.service.events import EventParser
from tests.app.job_service import FINETUNE
from tests.sentiscope.office import Office
from tests.sentiscope.replying import replying
from tests.tiny_bundle import tiny_writer
from worker.status import JobStatus

CONFIG = FINETUNE["config"]
ODD = "é\x85\u2028"
"""Of several bytes, and what some take for the end of a line."""


def work(office: Office, job_id: str) -> None:
    """The job runs, tells two things and ends."""
    lease = office.claim(job_id)
    office.tell(lease, {"event": "epoch", "epoch": 1, "val": {"top1": 0.5}, "text": ODD}, at=1)
    office.tell(lease, {"event": "epoch", "epoch": 2, "val": {"top1": 0.6}}, at=2)
    office.end(lease, JobStatus.SUCCEEDED)


def test_job_is_watched_from_its_submission_to_its_end(office: Office, client: Client) -> None:
    job = client.jobs.submit("finetune", CONFIG, name="mine", labels={"team": "vision"})
    assert client.jobs.get(job.id).name == "mine"
    threading.Timer(0.3, work, (office, job.id)).start()
    told = list(job.watch())
    assert [event.kind for event in told] == ["status", "status", "epoch", "epoch", "status"]
    assert told[2].data["text"] == ODD
    assert [event.kind for event in job.watch(after=told[2].id)] == ["epoch", "status"]
    ended = job.wait()
    assert (ended.status, ended.has_ended) == ("succeeded", True)
    assert job.record()["labels"] == {"team": "vision"}


def test_job_is_watched_and_steered_by_others_meanwhile(office: Office) -> None:
    async def see() -> tuple[list[Event], str, list[str]]:
        async with AsyncClient(office.server.url) as client:
            job = await client.jobs.submit("finetune", CONFIG)
            assert (await job.pause()).status == "paused"
            assert (await job.wait()).status == "paused"
            assert (await job.resume()).status == "queued"
            waiting = asyncio.create_task(job.wait(every_s=0.1))
            threading.Timer(0.3, work, (office, job.id)).start()
            told = [event async for event in job.watch()]
            listed = [each.id async for each in client.jobs.list(limit=1)]
            assert job.id in listed
            return told, (await waiting).status, listed

    told, status, listed = asyncio.run(see())
    assert [event.kind for event in told][-3:] == ["epoch", "epoch", "status"]
    assert status == "succeeded"
    assert len(listed) == len(set(listed))


def test_wait_for_a_job_that_goes_on_has_an_end(client: Client) -> None:
    job = client.jobs.submit("finetune", CONFIG)
    with pytest.raises(StillRunning, match=rf"job {job.id} is queued after 0\.2 s; it goes on"):
        job.wait(timeout_s=0.2, every_s=0.05)
    assert job.cancel().status == "cancelled"
    with pytest.raises(Conflict, match="cancelled"):
        job.pause()
    assert job.retry().status == "queued"


def test_pages_of_a_list_are_one(client: Client) -> None:
    made = [client.jobs.submit("finetune", CONFIG).id for _ in range(5)]
    assert [job.id for job, _ in zip(client.jobs.list(limit=2), made, strict=False)] == made[::-1]


def test_every_fault_of_a_configuration_is_named(client: Client) -> None:
    with pytest.raises(Invalid) as raised:
        client.jobs.submit("finetune", {**CONFIG, "epochs": 0, "colour": "red"})
    assert {fault.place for fault in raised.value.errors} == {"config.epochs", "config.colour"}
    assert "config.colour: " in str(raised.value)


def test_log_and_files_of_a_job_are_fetched(office: Office, client: Client) -> None:
    job = client.jobs.submit("finetune", CONFIG)
    office.write(job.id, "log.txt", "one\ntwo\n")
    office.write(job.id, "notes/50% #1?.txt", "odd")
    assert job.log(lines=1) == "two\n"
    assert job.log_from(4) == (b"two\n", 8)
    assert job.log_from(8) == (b"", 8)
    assert "notes/50% #1?.txt" in [each.path for each in job.artifacts()]
    assert b"".join(job.artifact("notes/50% #1?.txt")) == b"odd"
    with pytest.raises(NotFound, match=r"none\.txt"):
        list(job.artifact("none.txt"))


def test_models_are_listed_shown_and_promoted(office: Office, client: Client) -> None:
    Registry(office.folder / "models", office.folder / "shipped").publish(
        "tiny", tiny_writer("tiny")
    )
    (model,) = client.models.list()
    assert (model.name, model.versions, model.aliases["production"]) == ("tiny", ("1", "2"), "1")
    assert client.models.card("tiny", "1").startswith("# tiny")
    assert client.models.manifest("tiny", "2")["version"] == "2"
    assert client.models.promote("tiny", "2").aliases["production"] == "2"
    assert client.models.promote("tiny", "1", alias="old").aliases["old"] == "1"
    assert client.models.get("tiny").aliases == {"production": "2", "old": "1"}
    with pytest.raises(NotFound):
        client.models.get("../tiny")


def test_data_sets_are_listed_and_shown(office: Office, client: Client) -> None:
    names = sorted(path.name for path in office.settings.datasets_root.iterdir())
    assert [each.name for each in client.datasets.list()] == names
    found = client.datasets.get("emotions")
    assert found.label_sets["single"].names == ("joy", "fear")
    assert found.counts["train"] == 1


def test_asynchronous_models_and_data_sets_are_the_same(office: Office, client: Client) -> None:
    async def ask() -> Any:
        async with AsyncClient(office.server.url) as client:
            return (
                [model async for model in client.models.list()],
                await client.models.get("tiny"),
                await client.models.card("tiny", "1"),
                await client.models.manifest("tiny", "1"),
                [dataset async for dataset in client.datasets.list()],
                await client.datasets.get("emotions"),
            )

    assert asyncio.run(ask()) == (
        list(client.models.list()),
        client.models.get("tiny"),
        client.models.card("tiny", "1"),
        client.models.manifest("tiny", "1"),
        list(client.datasets.list()),
        client.datasets.get("emotions"),
    )


@pytest.mark.parametrize(
    "answer", [HTMLResponse("<p>Hello</p>"), JSONResponse([1]), JSONResponse({"items": [1]})]
)
def test_answer_of_another_service_is_told_so(answer: Response) -> None:
    with replying(answer) as other, Client(other.url) as client:
        with pytest.raises(Unintelligible, match="is a Sentiscope service there"):
            client.jobs.get("01")
        with pytest.raises(Unintelligible):
            list(client.jobs.list())
        with pytest.raises(Unintelligible):
            client.predict(b"image")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_stream_that_a_busy_service_refuses_is_asked_for_again(status: int) -> None:
    ended = {"id": "01", "kind": "pretrain", "status": "failed", "created_at": "2026-01-01T00:00Z"}
    told = Response(b'id: 1\nevent: status\ndata: {"status": "failed"}\n\n')
    with (
        replying(Response(status_code=status), told, JSONResponse(ended)) as service,
        Client(service.url) as client,
    ):
        assert [event.id for event in client.jobs.handle("01").watch()] == ["1"]


@pytest.mark.parametrize("stream", [b"\xff\n\n", b"id: 1\ndata: [\n\n", b"id: 1\ndata: 7\n\n"])
def test_stream_of_another_service_is_told_so(stream: bytes) -> None:
    with (
        replying(Response(stream)) as other,
        Client(other.url) as client,
        pytest.raises(Unintelligible),
    ):
        list(client.jobs.handle("01").watch())


@pytest.mark.parametrize("found", [[], [{}], [{"image": {}}], [{"error": 7}]], ids=str)
def test_predictions_of_another_form_are_told_so(found: list[Any]) -> None:
    model = {"name": "a", "version": "1", "digest": "b"}
    answer = JSONResponse({"model": model, "predictions": found})
    with replying(answer) as other, Client(other.url) as client, pytest.raises(Unintelligible):
        client.predict(b"image")


def test_error_that_is_no_problem_document_has_its_status() -> None:
    with replying(RedirectResponse("/login")) as other, Client(other.url) as client:
        with pytest.raises(Refused, match="answers 307 Temporary Redirect") as raised:
            client.jobs.get("01")
        assert raised.value.status == 307


@settings(deadline=None)
@given(cuts=some.lists(some.integers(0, 200)), line_end=some.sampled_from(["\n", "\r\n"]))
def test_events_are_the_same_however_the_stream_is_cut(cuts: list[int], line_end: str) -> None:
    odd = json.dumps({"b": ODD}, ensure_ascii=False)
    lines = [
        *("retry: 1000", "", ": here", ""),
        *("id: 1-0", "event: a", f"data: {odd}", ""),
        *("id: 2-0", 'data:{"c": 1}', ""),
        *("id: 3-0", 'data: {"b'),
    ]
    stream = line_end.join(lines).encode()
    ends = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    parser = EventParser()
    found = [event for start, end in pairwise(ends) for event in parser.feed(stream[start:end])]
    assert found == [
        Event(id="1-0", kind="a", data={"b": ODD}),
        Event(id="2-0", kind="message", data={"c": 1}),
    ]
