"""`sentiscope jobs` against a service on a port; the test plays the worker."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from tests.app.server import ROOT
from tests.sentiscope.command_line import refusal, sentiscope, write_yaml
from tests.sentiscope.office import FINETUNE, Office
from worker.jobs import Failure
from worker.status import JobStatus


def jobs(office: Office, *arguments: object) -> Result:
    return sentiscope("jobs", *arguments, "--url", office.server.url)


def said(office: Office, *arguments: object) -> str:
    """What a command that succeeds prints."""
    result = jobs(office, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(office: Office, *arguments: object) -> str:
    return refusal("jobs", *arguments, "--url", office.server.url)


@contextmanager
def begun(office: Office, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """A command in a process of its own, whose lines can be read while it goes on."""
    words = ["jobs", *map(str, arguments), "--url", office.server.url]
    with subprocess.Popen(
        [sys.executable, "-m", "sentiscope", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        try:
            yield command
        finally:
            command.kill()


def submitted(office: Office, *more: object) -> str:
    return said(office, "submit", "finetune", *FINETUNE, *more).strip()


def record(office: Office, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said(office, "show", job_id))
    return found


def test_job_is_what_was_asked_for(office: Office) -> None:
    job_id = submitted(office, "--name", "mine", "--set", "image.size=256")
    found = record(office, job_id)
    assert (found["kind"], found["name"], found["status"]) == ("finetune", "mine", "queued")
    assert found["config"]["image"]["size"] == 256


def test_file_says_of_which_kind_it_is(office: Office, tmp_path: Path) -> None:
    file = write_yaml(tmp_path / "my.yaml", {"preset": "demo/stimuli", "epochs": 7})
    found = record(office, said(office, "submit", file).strip())
    assert (found["kind"], found["config"]["epochs"]) == ("pretrain", 7)


def test_pipeline_is_submitted_by_its_preset(office: Office) -> None:
    job_id = said(office, "submit", "pipeline", "--preset", "demo").strip()
    assert record(office, job_id)["config"]["export"]["name"] == "demo"


def test_every_wrong_field_is_named(office: Office) -> None:
    reason = refused(office, "submit", "finetune", *FINETUNE, "--set", "epochs=0", "--set", "a=1")
    assert "config.epochs: " in reason
    assert "config.a: " in reason


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("cook",), "'cook' is neither a file nor a kind (pretrain, "),
        (("finetune", "--set", "epochs"), "expected field=value"),
        (("finetune", "--set", "a.=1"), "expected field=value"),
        (("finetune", "--set", "a=1", "--set", "a.b=2"), "a is 1 and has no fields"),
    ],
)
def test_what_makes_no_configuration_is_refused(
    office: Office, arguments: tuple[str, ...], reason: str
) -> None:
    assert reason in refused(office, "submit", *arguments)


@pytest.mark.parametrize("text", ["", "just words", "epochs: 3", "\t:", "preset: none/such"])
def test_file_that_is_no_configuration_is_refused(
    office: Office, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(text)
    assert refused(office, "submit", file).startswith(str(file))


def test_list_has_the_newest_first_and_no_more_than_asked_for(office: Office) -> None:
    made = [submitted(office, "--name", f"number {number}") for number in range(3)]
    lines = said(office, "list", "--limit", 2, "--kind", "finetune").splitlines()
    assert [line.split()[0] for line in lines] == [made[2], made[1]]
    assert lines[0].endswith("number 2")
    assert made[0] not in said(office, "list", "--status", "running")


def test_actions_say_where_the_job_is_then(office: Office) -> None:
    job_id = submitted(office)
    for action, status in [
        ("pause", "paused"),
        ("resume", "queued"),
        ("cancel", "cancelled"),
        ("retry", "queued"),
    ]:
        assert said(office, action, job_id).split()[:2] == [job_id, status]


def test_action_that_the_state_forbids_is_a_sentence(office: Office) -> None:
    job_id = submitted(office)
    said(office, "cancel", job_id)
    assert "cancelled" in refused(office, "pause", job_id)


def test_unknown_job_is_a_sentence(office: Office) -> None:
    for command in ("show", "watch", "cancel", "logs", "artifacts"):
        assert "0123" in refused(office, command, "0123")


def test_watched_job_is_told_line_by_line(office: Office) -> None:
    job_id = submitted(office)
    lease = office.claim(job_id)
    office.tell(lease, {"event": "epoch", "epoch": 1, "val": {"single.top1": 0.5}}, at=1)

    with begun(office, "watch", job_id) as command:
        assert command.stderr
        for line in ("queued", "running", "epoch 1: single.top1 0.5"):
            assert command.stderr.readline() == f"{line}\n"
        office.end(lease, JobStatus.SUCCEEDED)
        assert command.communicate(timeout=60) == ("finetune succeeded\n", "succeeded\n")
    assert command.returncode == 0


def test_watch_of_a_job_that_fails_ends_with_status_1_and_the_reason(office: Office) -> None:
    job_id = submitted(office, "--name", "mine")
    failure = Failure(type="OutOfMemory", message="the GPU is too small")
    office.end(office.claim(job_id), JobStatus.FAILED, error=failure)
    result = jobs(office, "watch", job_id)
    assert result.exit_code == 1
    assert result.stderr.endswith("error: mine failed: the GPU is too small\n")


def test_watch_of_a_paused_job_is_no_success(office: Office) -> None:
    job_id = submitted(office)
    said(office, "pause", job_id)
    result = jobs(office, "watch", job_id)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("error: finetune paused\n")


def test_log_is_shown_from_its_end_and_followed_to_its_end(office: Office) -> None:
    job_id = submitted(office)
    lease = office.claim(job_id)
    file = office.write(job_id, "log.txt", "one\ntwo\n")
    assert said(office, "logs", job_id, "--tail", 1) == "two\n"

    with begun(office, "logs", job_id, "--follow") as command:
        assert command.stdout
        assert [command.stdout.readline() for _ in range(2)] == ["one\n", "two\n"]
        with file.open("a") as log:
            log.write("three\n")
        office.end(lease, JobStatus.SUCCEEDED)
        assert command.communicate(timeout=60) == ("three\n", "")
    assert command.returncode == 0


def test_files_of_a_job_are_listed_and_fetched(office: Office, tmp_path: Path) -> None:
    job_id = submitted(office)
    office.write(job_id, "checkpoints/best.safetensors", "weights")
    assert "           7  checkpoints/best.safetensors\n" in said(office, "artifacts", job_id)
    target = tmp_path / "mine.safetensors"
    said(office, "artifacts", job_id, "checkpoints/best.safetensors", "--output", target)
    assert target.read_text() == "weights"
    assert "none.txt" in refused(office, "artifacts", job_id, "none.txt", "-o", target)
    assert target.read_text() == "weights"
    assert list(tmp_path.iterdir()) == [target]


def test_service_that_is_not_there_is_named() -> None:
    url = "http://127.0.0.1:9"
    assert refusal("jobs", "watch", "0123", "--url", url).startswith(f"{url} does not answer")
