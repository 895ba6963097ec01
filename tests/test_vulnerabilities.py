"""The audit against a database of our own; the real one is asked by `make check` alone."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.vulnerabilities import PINS, REQUIREMENTS, main

PINNED = "idna==3.20 \\\n    --hash=sha256:" + "0" * 64 + "\n"
FAULT = {
    "id": "PYSEC-2099-1",
    "schema_version": "1.3.0",
    "details": "It breaks.",
    "affected": [
        {
            "package": {"name": "idna", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "4.0"}]}],
        }
    ],
}


@contextmanager
def database(answer: dict[str, Any], status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    """An address that knows `answer` of every dependency, and what it was asked."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    path = tmp_path / "pins.txt"
    path.write_text(PINNED, encoding="utf-8")
    return path


def test_known_vulnerability_fails(pins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with database({"vulns": [FAULT]}) as (url, asked):
        assert main([pins], database=url) == 1
    assert asked == [{"package": {"name": "idna", "ecosystem": "PyPI"}, "version": "3.20"}]
    assert "idna 3.20: PYSEC-2099-1, mended in 4.0" in capsys.readouterr().out


def test_every_pin_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with database({}) as (url, asked):
        assert main(database=url) == 0
    names = {each["package"]["name"] for each in asked}
    assert {"fastapi", "torch", "onnxruntime", "onnxruntime-gpu", "uv"} <= names
    assert "0 known vulnerabilities" in capsys.readouterr().out


def test_files_that_are_not_audited_hold_nothing_else() -> None:
    def pinned(path: Path) -> set[str]:
        lines = path.read_text(encoding="utf-8").splitlines()
        return {line.split(" ")[0] for line in lines if line and line[0].isalnum()}

    audited = {pin for path in PINS for pin in pinned(path)}
    assert audited
    for path in REQUIREMENTS.glob("*.txt"):
        assert pinned(path) <= audited, path.name


def test_database_that_cannot_be_reached_is_told_and_no_error(
    pins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with database({}) as (url, _):
        pass
    assert main([pins], database=url) == 0
    assert "SKIPPED" in capsys.readouterr().out


def test_database_that_is_broken_is_told_and_no_error(
    pins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with database({}, status=503) as (url, _):
        assert main([pins], database=url) == 0
    assert "SKIPPED" in capsys.readouterr().out


def test_pins_that_cannot_be_read_are_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([tmp_path / "none.txt"]) == 1
    assert "Audit failed" in capsys.readouterr().out
