import base64
import json
import struct
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from models.preprocessing import preprocess
from models.registry import Registry
from tests.app.client import Client, publish_tiny, serving, tiny_settings
from tests.app.pictures import BLUE, GREEN, RED, encoded, noise, solid
from tests.tiny_bundle import SPEC, tiny_writer

INFER = "/v2/models/tiny/infer"
IMAGE = encoded(solid())
LENGTH = "Inference-Header-Content-Length"
NAMES = ["single", "multi", "distribution", "single_map", "multi_map", "distribution_map"]


def _encoded_tensor(*contents: bytes, **more: Any) -> dict[str, Any]:
    texts = [base64.b64encode(content).decode() for content in contents]
    shape = [len(contents)]
    return {"name": "encoded_image", "datatype": "BYTES", "shape": shape, "data": texts, **more}


def _pixel_tensor(*colours: tuple[int, int, int]) -> dict[str, Any]:
    pixels = np.stack([preprocess(solid(colour), SPEC) for colour in colours])
    shape = list(pixels.shape)
    return {"name": "image", "datatype": "FP32", "shape": shape, "data": pixels.ravel().tolist()}


def _infer(
    client: Client, *inputs: dict[str, Any], path: str = INFER, **more: Any
) -> httpx.Response:
    return client.request("POST", path, json={"inputs": list(inputs), **more})


def _outputs(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    return {
        each["name"]: np.array(each["data"]).reshape(each["shape"])
        for each in response.json()["outputs"]
    }


def _fault(response: httpx.Response, status: int) -> str:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.json().keys() == {"error"}
    said: str = response.json()["error"]
    assert said
    return said


def test_server_says_what_it_is(client: Client) -> None:
    found = client.get("/v2").json()
    assert found["name"] == "sentiscope"
    assert "binary_tensor_data" in found["extensions"]


def test_server_and_models_are_live_and_ready(client: Client) -> None:
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    for path in ("tiny", "tiny/versions/1", "tiny/versions/production"):
        assert client.get(f"/v2/models/{path}/ready").json() == {"name": "tiny", "ready": True}


def test_server_without_its_model_is_not_ready(tmp_path: Path) -> None:
    with serving(tiny_settings(tmp_path)) as client:
        assert client.get("/v2/health/live").status_code == 200
        assert "missing" in _fault(client.get("/v2/health/ready"), 503)


def test_metadata_tell_inputs_and_outputs(client: Client) -> None:
    found = client.get("/v2/models/tiny").json()
    assert client.get("/v2/models/tiny/versions/1").json() == found
    assert (found["name"], found["versions"]) == ("tiny", ["1"])
    assert found["inputs"] == [
        {"name": "image", "datatype": "FP32", "shape": [-1, 3, 16, 16]},
        {"name": "encoded_image", "datatype": "BYTES", "shape": [-1]},
    ]
    assert [each["name"] for each in found["outputs"]] == NAMES
    assert [each["shape"] for each in found["outputs"]] == [[-1, 3]] * 3 + [[-1, 3, -1, -1]] * 3


def test_encoded_images_have_the_numbers_of_the_native_api(client: Client) -> None:
    content = encoded(noise((80, 60)), "JPEG")
    native = client.send_bytes(content).json()["predictions"][0]
    found = _outputs(_infer(client, _encoded_tensor(IMAGE, content)))
    assert list(found) == NAMES
    assert found["single_map"].shape == (2, 3, 2, 2)
    for kind in ("single", "multi", "distribution"):
        scores = {score["label"]: score["score"] for score in native[kind]["scores"]}
        assert found[kind][1] == pytest.approx([scores[n] for n in ("red", "green", "blue")])


def test_pre_processed_images_have_the_numbers_of_their_files(client: Client) -> None:
    colours = (RED, GREEN, BLUE)
    files = _encoded_tensor(*(encoded(solid(colour)) for colour in colours))
    expected = _outputs(_infer(client, files))
    found = _outputs(_infer(client, _pixel_tensor(*colours)))
    assert found["single"].argmax(axis=1).tolist() == [0, 1, 2]
    for name in NAMES:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-6)


def test_only_the_outputs_asked_for_come_in_their_order(client: Client) -> None:
    wanted = [{"name": "multi_map"}, {"name": "single"}]
    assert list(_outputs(_infer(client, _encoded_tensor(IMAGE), outputs=wanted))) == [
        "multi_map",
        "single",
    ]


def test_answer_names_model_version_and_request(client: Client, registry: Registry) -> None:
    registry.publish("tiny", tiny_writer("tiny"))
    found = _infer(client, _encoded_tensor(IMAGE), id="a7").json()
    assert (found["model_name"], found["model_version"], found["id"]) == ("tiny", "1", "a7")
    found = _infer(client, _encoded_tensor(IMAGE), path="/v2/models/tiny/versions/2/infer").json()
    assert found["model_version"] == "2"
    assert "id" not in found


@pytest.mark.parametrize("shape", [[2], [2, 1]])
def test_binary_request_gets_a_binary_answer(client: Client, shape: list[int]) -> None:
    raw = b"".join(struct.pack("<I", len(IMAGE)) + IMAGE for _ in range(2))
    tensor = {
        "name": "encoded_image",
        "datatype": "BYTES",
        "shape": shape,
        "parameters": {"binary_data_size": len(raw)},
    }
    outputs = [
        {"name": "single", "parameters": {"binary_data": True}},
        {"name": "multi", "parameters": {"binary_data": False}},
        {"name": "distribution"},
    ]
    request = {"inputs": [tensor], "outputs": outputs, "parameters": {"binary_data_output": True}}
    header = json.dumps(request).encode()
    response = client.request(
        "POST", INFER, content=header + raw, headers={LENGTH: str(len(header))}
    )
    assert response.headers["content-type"] == "application/octet-stream"
    length = int(response.headers[LENGTH])
    single, multi, distribution = json.loads(response.content[:length])["outputs"]
    assert single["parameters"] == distribution["parameters"] == {"binary_data_size": 24}
    assert "data" not in single
    assert "parameters" not in multi
    assert len(multi["data"]) == 6
    numbers = np.frombuffer(response.content[length:], "<f4").reshape(2, 2, 3)
    np.testing.assert_array_equal(numbers[0], numbers[1])
    assert numbers[0].argmax(axis=1).tolist() == [0, 0]


def test_highest_scores_come_as_text_with_their_labels(client: Client) -> None:
    outputs = [{"name": "single", "parameters": {"classification": 2}}]
    found = _outputs(_infer(client, _encoded_tensor(encoded(solid(GREEN))), outputs=outputs))
    first, second = found["single"][0]
    assert first.split(":")[1:] == ["1", "green"]
    assert float(first.split(":")[0]) == pytest.approx(0.576117, abs=1e-5)
    assert second.split(":")[1:] == ["0", "red"]


def test_time_of_the_work_is_told(client: Client) -> None:
    timing = _infer(client, _encoded_tensor(IMAGE)).headers["server-timing"]
    assert [part.split(";")[0] for part in timing.split(", ")] == ["decode", "queue", "inference"]


PIXELS = _pixel_tensor(RED)
WRONG: list[tuple[list[dict[str, Any]], str]] = [
    ([{**PIXELS, "name": "picture"}], "no input 'picture' of FP32"),
    ([{**PIXELS, "datatype": "FP64"}], "no input 'image' of FP64"),
    ([{**PIXELS, "shape": [3, 16, 16]}], "expected [-1, 3, 16, 16]"),
    ([{**PIXELS, "shape": [1, 16, 16, 3]}], "expected [-1, 3, 16, 16]"),
    ([{**PIXELS, "shape": []}], "expected"),
    ([{**PIXELS, "shape": [0, 3, 16, 16], "data": []}], "expected"),
    ([{**PIXELS, "data": [1.0]}], "the data have 1"),
    ([{**PIXELS, "data": ["x"] * 768}], "not all numbers"),
    ([{**PIXELS, "data": [3e38] * 768}], "overflow"),
    ([PIXELS, PIXELS], "expected one input"),
    ([_encoded_tensor(IMAGE, shape=[2])], "2 elements"),
    ([_encoded_tensor(IMAGE, shape=[1, 2])], "expected [-1] or [-1, 1]"),
    ([_encoded_tensor(b"")], "image 0: it has no bytes"),
    ([_encoded_tensor(IMAGE, data=["!"])], "base64"),
]


@pytest.mark.parametrize(("inputs", "said"), WRONG, ids=[said for _, said in WRONG])
def test_tensor_that_the_model_does_not_take_is_refused(
    client: Client, inputs: list[dict[str, Any]], said: str
) -> None:
    assert said in _fault(_infer(client, *inputs), 400)


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ([{"name": "joy"}], "known: single, multi"),
        ([{"name": "single"}, {"name": "single"}], "more than once"),
        ([{"name": "single_map", "parameters": {"classification": 1}}], "is a map"),
    ],
)
def test_output_that_is_not_there_is_refused(
    client: Client, outputs: list[dict[str, Any]], said: str
) -> None:
    assert said in _fault(_infer(client, _encoded_tensor(IMAGE), outputs=outputs), 400)


@pytest.mark.parametrize(("content", "status"), [(b"no image", 415), (IMAGE[:60], 422)])
def test_bad_image_among_good_ones_is_the_error_of_all(
    client: Client, content: bytes, status: int
) -> None:
    said = _fault(_infer(client, _encoded_tensor(IMAGE, content)), status)
    assert said.startswith("image 1: ")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/models/joy", 404),
        ("GET", "/v2/models/joy/ready", 404),
        ("GET", "/v2/models/tiny/versions/7", 404),
        ("POST", "/v2/models/tiny/versions/7/infer", 404),
        ("POST", "/v2/models/TINY/infer", 404),
        ("GET", "/v2/nothing", 404),
        ("GET", "/v2/models/tiny/infer", 405),
        ("DELETE", "/v2", 405),
        ("POST", INFER, 400),
    ],
)
def test_every_error_has_the_form_of_the_protocol(
    client: Client, method: str, path: str, status: int
) -> None:
    _fault(client.request(method, path), status)


def test_limits_are_those_of_the_native_api(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    settings = tiny_settings(tmp_path, max_images=2, max_body_bytes=20_000, max_pixels=2000)
    with serving(settings) as client:
        assert "limit is 2" in _fault(_infer(client, _encoded_tensor(*[IMAGE] * 3)), 413)
        _fault(_infer(client, _encoded_tensor(encoded(solid(size=(50, 50))))), 413)
        _fault(client.request("POST", INFER, content=bytes(20_001)), 413)
        response = client.request("POST", INFER, content=b"", headers={"Content-Encoding": "gzip"})
        _fault(response, 415)
        assert _infer(client, _encoded_tensor(IMAGE, IMAGE)).status_code == 200


def test_passed_deadline_is_told_as_by_the_native_api(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    with serving(tiny_settings(tmp_path, deadline_s=1e-6)) as client:
        assert "1e-06 s" in _fault(_infer(client, _encoded_tensor(IMAGE)), 504)
