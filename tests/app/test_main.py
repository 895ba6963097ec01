import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import onnxruntime as ort
import pytest

from tests.app.client import assert_problem, publish_tiny
from tests.app.pictures import encoded, solid
from tests.app.server import ROOT, Server, post_image, served, started
from tests.processes import until


def _refusal(**variables: object) -> str:
    with started(**variables) as process:
        said, wrong = process.communicate(timeout=60)
        assert process.returncode == 1
        assert said == ""
        return wrong


def test_service_says_where_it_is_and_with_which_model(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    with served(tmp_path) as server:
        assert "model tiny@1" in server.greeting
        assert "this machine only" in server.greeting
        assert f"curl -F image=@photo.jpg {server.url}/v1/predictions" in server.greeting
        assert post_image(server.url, encoded(solid())).status_code == 200


def test_service_without_its_model_runs_and_says_so(tmp_path: Path) -> None:
    with served(tmp_path, model="default") as server:
        assert "not ready" in server.greeting
        assert "'default' is missing" in server.greeting
        assert httpx.get(f"{server.url}/health/live").status_code == 200
        assert_problem(httpx.get(f"{server.url}/health/ready"), 503)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_service_stops_cleanly_and_quickly(tmp_path: Path, number: signal.Signals) -> None:
    publish_tiny(tmp_path)
    with served(tmp_path) as server, httpx.Client(base_url=server.url) as idle:
        assert idle.get("/health/live").status_code == 200
        status, seconds = server.stop(number)
        assert server.process.stderr
        assert server.process.stderr.read() == ""
        assert status == 0
        assert seconds < 8


def test_all_that_was_begun_is_answered_before_the_service_stops(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    body = encoded(solid())
    head = (
        "POST /v1/predictions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
        f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with served(tmp_path, workers=1, drain_s=60) as server, ExitStack() as stack:
        host, port = server.url.removeprefix("http://").split(":")
        address = (host, int(port))
        clients = [
            stack.enter_context(socket.create_connection(address, timeout=60)) for _ in range(8)
        ]
        answers = [stack.enter_context(client.makefile("rb")) for client in clients]
        for client, answer in zip(clients, answers, strict=True):
            client.sendall(head.encode())
            assert answer.readline().startswith(b"HTTP/1.1 100")
            assert answer.readline() == b"\r\n"
        server.process.send_signal(signal.SIGTERM)
        with suppress(ConnectionError):
            while True:  # until the service takes nobody new
                socket.create_connection(address, timeout=60).close()
        for client in clients:
            client.sendall(body)
        assert [answer.readline() for answer in answers] == [b"HTTP/1.1 200 OK\r\n"] * 8
        assert server.process.wait(60) == 0


def test_busy_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        wrong = _refusal(port=port, models_root=tmp_path)
    assert wrong == f"port {port} is in use; choose another with PORT={port + 1}\n"


@pytest.mark.skipif(
    "CUDAExecutionProvider" in ort.get_available_providers(), reason="ONNX Runtime has CUDA"
)
def test_cuda_that_is_asked_for_and_not_there_is_one_clear_line(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    wrong = _refusal(provider="cuda", port=0, models_root=tmp_path / "models")
    assert "cannot use cuda here" in wrong
    assert wrong.count("\n") == 1


def test_listening_for_other_machines_is_refused_without_keys() -> None:
    wrong = _refusal(host="::", port=0)
    assert "no API keys are configured" in wrong
    assert wrong.count("\n") == 1


def test_host_that_is_none_is_refused() -> None:
    assert "'no.such.host.invalid' is not an address" in _refusal(host="no.such.host.invalid")


def test_localhost_is_loopback(tmp_path: Path) -> None:
    with served(tmp_path, host="localhost") as server:
        assert httpx.get(f"{server.url}/health/live").status_code == 200


def test_wrong_setting_is_named() -> None:
    wrong = _refusal(precision="fp16")
    assert "precision" in wrong
    assert "Traceback" not in wrong


def test_body_over_the_limit_is_answered_though_the_client_has_not_sent_it_all(
    tmp_path: Path,
) -> None:
    publish_tiny(tmp_path)
    with served(tmp_path, max_body_bytes=1000) as server:
        for _ in range(3):
            assert_problem(post_image(server.url, bytes(5_000_000)), 413)
        assert post_image(server.url, encoded(solid())).status_code == 200


def _clients_that_left(server: Server) -> int:
    told = httpx.get(f"{server.url}/metrics").text
    assert "malformed-request" not in told
    return sum("requests_total{" in line and 'status="0"' in line for line in told.splitlines())


def test_client_that_leaves_before_its_body_is_complete_was_not_refused(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    with served(tmp_path) as server:
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as client:
            client.sendall(b"POST /v1/predictions HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            client.sendall(b"Content-Type: image/png\r\nContent-Length: 9\r\n\r\nabc")
        until(lambda: _clients_that_left(server) or None, timeout_s=20)
        assert server.stop()[0] == 0
        assert server.process.stderr
        assert server.process.stderr.read() == ""


def test_work_of_a_client_that_left_is_dropped(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    content = encoded(solid(size=(5000, 5000)))
    with served(tmp_path, workers=1) as server:
        began = time.perf_counter()
        assert post_image(server.url, content).status_code == 200
        usual = time.perf_counter() - began
        files = [("image", ("a.png", content))] * 60
        patience = httpx.Timeout(20, read=2 * usual)
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{server.url}/v1/predictions", files=files, timeout=patience)
        began = time.perf_counter()
        assert post_image(server.url, content).status_code == 200
        assert time.perf_counter() - began < 24 * usual
        assert _clients_that_left(server) == 1
        assert server.stop()[0] == 0
        assert server.process.stderr
        assert server.process.stderr.read() == ""


def test_service_is_imported_without_torch_celery_and_redis() -> None:
    code = "import sys, json, app.main; print(json.dumps(sorted(sys.modules)))"
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert not {"torch", "torchvision", "celery", "redis"} & set(json.loads(said))
