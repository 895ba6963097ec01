"""`sentiscope serve`; what the service does is tested in tests/app."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.app.server import ROOT, environment
from tests.sentiscope.command_line import refusal, sentiscope

_SERVE = "import sys; from sentiscope.cli import main; main()"


def test_serve_listens_on_the_port_it_is_given_until_it_is_told_to_stop(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _SERVE, "serve", "--port", "0"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(models_root=tmp_path, shipped_root=tmp_path, port=1),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found
        assert httpx.get(f"{found.group()}/health/live").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_wrong_port_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SENTISCOPE_PORT", raising=False)
    assert "port" in refusal("serve", "--port", "99999")


def test_damaged_keys_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text("{")
    done = subprocess.run(
        [sys.executable, "-m", "sentiscope", "run", "--port", "0", "--folder", tmp_path],
        cwd=ROOT,
        env=environment(keys_file=file),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {file} is not a file of API keys")


def test_listening_for_other_machines_is_refused_without_keys() -> None:
    result = sentiscope("serve", "--host", "0.0.0.0", "--port", "0")
    assert result.exit_code == 1
    assert "no API keys are configured" in result.stderr
    assert result.stderr.count("\n") == 1
