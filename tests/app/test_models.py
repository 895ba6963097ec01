import itertools
import shutil
from pathlib import Path

import anyio
import onnx
import pytest
from onnx import TensorProto

from models.registry import Registry
from tests.app.client import Client, assert_problem, serving, tiny_settings
from tests.app.pictures import encoded, solid
from tests.tiny_bundle import tiny_graph, tiny_outputs, tiny_writer, write_tiny_bundle

IMAGE = encoded(solid())
ALIAS = "/v1/models/tiny/aliases/production"


def _version(client: Client, model: str = "tiny") -> str:
    version: str = client.send_bytes(IMAGE, model=model).json()["model"]["version"]
    return version


def _promote(client: Client, version: str, path: str = ALIAS) -> int:
    return client.request("PUT", path, json={"version": version}).status_code


def test_models_are_listed(client: Client, registry: Registry) -> None:
    registry.publish("other", tiny_writer("other"))
    assert client.get("/v1/models").json() == {
        "items": [
            {"name": "other", "versions": ["1"], "aliases": {}},
            {"name": "tiny", "versions": ["1"], "aliases": {"production": "1"}},
        ],
        "next_cursor": None,
    }


def test_model_shows_versions_oldest_first_and_aliases(client: Client, registry: Registry) -> None:
    for _ in range(10):
        registry.publish("tiny", tiny_writer("tiny"))
    found = client.get("/v1/models/tiny").json()
    assert found["versions"] == [str(i) for i in range(1, 12)]
    assert found["aliases"] == {"production": "1"}


def test_version_shows_its_manifest_and_digest(client: Client, registry: Registry) -> None:
    bundle = registry.open("tiny")
    found = client.get("/v1/models/tiny/versions/1").json()
    assert found.pop("digest") == f"sha256:{bundle.digest}"
    assert found == bundle.manifest.model_dump(mode="json")
    assert found["outputs"][0]["labels"]["names"] == ["red", "green", "blue"]


def test_card_is_markdown(client: Client) -> None:
    response = client.get("/v1/models/tiny/versions/1/card")
    assert response.headers["content-type"] == "text/markdown; charset=utf-8"
    assert response.text.startswith("# tiny")


@pytest.mark.parametrize(
    "path", ["nope", "nope/versions/1", "tiny/versions/2", "tiny/versions/2/card", "TINY", "a%20b"]
)
def test_unknown_model_or_version_is_not_found(client: Client, path: str) -> None:
    assert_problem(client.get(f"/v1/models/{path}"), 404)


def test_promotion_and_roll_back_take_effect_at_once(client: Client, registry: Registry) -> None:
    registry.publish("tiny", tiny_writer("tiny"))
    for version in ("2", "1", "2"):
        assert _promote(client, version) == 200
        assert _version(client) == version
        assert client.get("/v1/models/tiny").json()["aliases"]["production"] == version


def test_new_alias_can_be_asked_for(client: Client) -> None:
    assert_problem(client.send_bytes(IMAGE, model="tiny@canary"), 404)
    assert _promote(client, "1", "/v1/models/tiny/aliases/canary") == 200
    assert _version(client, "tiny@canary") == "1"


def test_no_request_in_flight_is_lost_while_aliases_move(
    client: Client, registry: Registry
) -> None:
    registry.publish("tiny", tiny_writer("tiny"))
    statuses: list[int] = []

    async def ask() -> None:
        for _ in range(20):
            headers = {"Content-Type": "image/png"}
            response = await client.http.post("/v1/predictions", content=IMAGE, headers=headers)
            statuses.append(response.status_code)

    async def move() -> None:
        for version in itertools.islice(itertools.cycle("21"), 10):
            response = await client.http.put(ALIAS, json={"version": version})
            statuses.append(response.status_code)

    async def all_at_once() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(ask)
            group.start_soon(move)

    client.portal.call(all_at_once)
    assert statuses == [200] * 90


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"version": "7"}', 404),
        (b'{"version": "production"}', 400),
        (b'{"version": 1}', 400),
        (b'{"version": "1", "force": true}', 400),
        (b"{}", 400),
        (b"", 400),
        (b"nonsense", 400),
        (b" " * 5000, 413),
    ],
)
def test_alias_moves_to_a_version_that_is_there_or_stays(
    client: Client, body: bytes, status: int
) -> None:
    assert_problem(client.request("PUT", ALIAS, content=body), status)
    assert _version(client) == "1"


@pytest.mark.parametrize("alias", ["4", "Production", "a%20b", "-"])
def test_alias_is_a_name_and_never_a_number(client: Client, alias: str) -> None:
    path = f"/v1/models/tiny/aliases/{alias}"
    problem = assert_problem(client.request("PUT", path, json={"version": "1"}), 422)
    assert problem["errors"][0]["loc"] == ["path", "alias"]


def test_version_is_deleted_once_no_alias_points_to_it(client: Client, registry: Registry) -> None:
    registry.publish("tiny", tiny_writer("tiny"))
    problem = assert_problem(client.request("DELETE", "/v1/models/tiny/versions/1"), 409)
    assert "production" in problem["detail"]
    _promote(client, "2")
    response = client.request("DELETE", "/v1/models/tiny/versions/1")
    assert (response.status_code, response.content) == (204, b"")
    assert registry.versions("tiny") == ("2",)
    assert_problem(client.send_bytes(IMAGE, model="tiny@1"), 404)
    assert_problem(client.request("DELETE", "/v1/models/tiny/versions/1"), 404)
    assert _version(client) == "2"


def test_number_that_is_given_again_after_a_restored_backup_means_the_new_model(
    client: Client, registry: Registry
) -> None:
    registry.publish("tiny", tiny_writer("tiny"))
    first = client.send_bytes(IMAGE, model="tiny@2").json()["model"]["digest"]
    client.request("DELETE", "/v1/models/tiny/versions/2")
    (registry.root / "tiny" / "2").unlink()

    def other(folder: Path, version: str) -> None:
        outputs = tiny_outputs(bias=(1.0, 0.0, 0.0))
        write_tiny_bundle(folder, version=version, outputs=outputs)

    assert registry.publish("tiny", other).manifest.version == "2"
    assert client.send_bytes(IMAGE, model="tiny@2").json()["model"]["digest"] != first


def test_shipped_version_cannot_be_deleted(client: Client, tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path / "shipped" / "kept" / "1", name="kept")
    assert_problem(client.request("DELETE", "/v1/models/kept/versions/1"), 403)
    assert _version(client, "kept@1") == "1"


def _damage(folder: Path) -> None:
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"!")


def test_damaged_model_is_refused_and_the_others_go_on(
    client: Client, registry: Registry, tmp_path: Path
) -> None:
    registry.publish("bad", tiny_writer("bad"))
    registry.set_alias("bad", "production", version="1")
    _damage(tmp_path / "models" / "bad" / "1")
    problem = assert_problem(client.send_bytes(IMAGE, model="bad"), 503)
    assert "model.onnx has" in problem["detail"]
    assert_problem(client.get("/v1/models/bad/versions/1"), 503)
    assert_problem(client.get("/v1/models/bad/versions/1/card"), 503)
    assert [item["name"] for item in client.get("/v1/models").json()["items"]] == ["bad", "tiny"]
    assert _version(client) == "1"


def test_graph_that_onnx_runtime_refuses_is_told_without_the_path(
    client: Client, tmp_path: Path
) -> None:
    graph = tiny_graph(tiny_outputs())
    graph.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64
    onnx.checker.check_model(graph)
    write_tiny_bundle(tmp_path / "shipped" / "odd" / "1", name="odd", graph=graph)
    problem = assert_problem(client.send_bytes(IMAGE, model="odd@1"), 503)
    assert "model.onnx" in problem["detail"]
    assert str(tmp_path) not in problem["detail"]


def test_alias_is_not_moved_to_a_version_that_cannot_run(
    client: Client, registry: Registry, tmp_path: Path
) -> None:
    registry.publish("tiny", tiny_writer("tiny"))
    _damage(tmp_path / "models" / "tiny" / "2")
    assert _promote(client, "2") == 503
    assert _version(client) == "1"


def test_loaded_model_answers_on_when_its_files_are_damaged(client: Client, tmp_path: Path) -> None:
    assert _version(client) == "1"
    _damage(tmp_path / "models" / "tiny" / "1")
    assert _version(client) == "1"


def test_model_with_unreadable_aliases_does_not_hide_the_others(
    client: Client, registry: Registry, tmp_path: Path
) -> None:
    registry.publish("bad", tiny_writer("bad"))
    (tmp_path / "models" / "bad" / "aliases.json").write_text("{")
    bad, tiny = client.get("/v1/models").json()["items"]
    assert "aliases.json" in bad["fault"]
    assert tiny["versions"] == ["1"]
    assert_problem(client.get("/v1/models/bad"), 503)
    assert_problem(client.send_bytes(IMAGE, model="bad"), 503)


def test_model_that_gives_no_finite_number_is_a_fault_of_the_service(tmp_path: Path) -> None:
    outputs = tiny_outputs(bias=(float("inf"), 0.0, 0.0))
    graph = tiny_graph(outputs)
    write_tiny_bundle(tmp_path / "shipped" / "tiny" / "1", outputs=tiny_outputs(), graph=graph)
    with serving(tiny_settings(tmp_path, model="tiny@1")) as client:
        problem = assert_problem(client.send_bytes(IMAGE), 503)
        assert "not finite" in problem["detail"]


def test_model_published_while_the_service_runs_is_found(
    client: Client, registry: Registry, tmp_path: Path
) -> None:
    assert_problem(client.send_bytes(IMAGE, model="new@1"), 404)
    registry.publish("new", tiny_writer("new"))
    assert _version(client, "new@1") == "1"
    shutil.rmtree(tmp_path / "models" / "new")
    while client.send_bytes(IMAGE, model="new@1").status_code == 200:
        pass  # what others do is seen a moment later
    assert_problem(client.send_bytes(IMAGE, model="new@1"), 404)
