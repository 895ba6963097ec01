import base64
import math
from io import BytesIO
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from PIL import Image

from models.labels import LabelKind
from models.registry import Registry
from tests.app.client import Client, assert_problem, occupied, publish_tiny, serving, tiny_settings
from tests.app.pictures import BLUE, GREEN, PHOTOS, RED, WHITE, encoded, halves, noise, solid
from tests.tiny_bundle import tiny_outputs, tiny_writer, write_tiny_bundle

PURE = math.e / (math.e + 2)
"""Softmax of a colour that is full beside two that are absent."""


def _first(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    first: dict[str, Any] = response.json()["predictions"][0]
    return first


@pytest.mark.parametrize(("colour", "name"), [(RED, "red"), (GREEN, "green"), (BLUE, "blue")])
def test_solid_colour_gives_the_numbers_worked_out_by_hand(
    client: Client, colour: tuple[int, int, int], name: str
) -> None:
    found = _first(client.send_bytes(encoded(solid(colour))))
    assert found["single"]["label"] == name
    assert found["single"]["score"] == pytest.approx(PURE, abs=1e-6)
    assert [score["score"] for score in found["single"]["scores"][1:]] == pytest.approx(
        [1 / (math.e + 2)] * 2, abs=1e-6
    )
    assert found["multi"]["labels"] == [name]
    assert [score["score"] for score in found["multi"]["scores"]] == pytest.approx(
        [math.e / (math.e + 1), 0.5, 0.5], abs=1e-6
    )
    assert [score["selected"] for score in found["multi"]["scores"]] == [True, False, False]
    assert {score["threshold"] for score in found["multi"]["scores"]} == {0.6}
    assert found["distribution"]["dominant"] == name
    entropy = -PURE * math.log(PURE) + 2 / (math.e + 2) * math.log(math.e + 2)
    assert found["distribution"]["entropy"] == pytest.approx(entropy, abs=1e-6)


def test_white_is_every_colour_alike(client: Client) -> None:
    found = _first(client.send_bytes(encoded(solid(WHITE))))
    assert found["multi"]["labels"] == ["red", "green", "blue"]
    assert found["distribution"]["entropy"] == pytest.approx(math.log(3), abs=1e-6)


def test_answer_has_the_documented_shape(client: Client, registry: Registry) -> None:
    response = client.post(files=[("image", ("a.png", encoded(solid(size=(64, 48)))))])
    answer = response.json()
    digest = registry.open("tiny").digest
    assert answer.keys() == {"model", "predictions"}
    assert answer["model"] == {
        "name": "tiny",
        "version": "1",
        "digest": f"sha256:{digest}",
        "precision": "fp32",
        "provider": "cpu",
    }
    assert answer["predictions"][0].keys() == {"image", "single", "multi", "distribution"}
    assert answer["predictions"][0]["image"] == {
        "filename": "a.png",
        "format": "PNG",
        "width": 64,
        "height": 48,
    }


def test_three_forms_give_the_same_answer(client: Client) -> None:
    content = encoded(noise((80, 60)), "JPEG")
    text = base64.b64encode(content).decode()
    answers = [
        client.send_bytes(content),
        client.post(content=content, headers={"Content-Type": "image/jpeg"}),
        client.send_files(content),
        client.post(json={"images": [{"base64": text}]}),
    ]
    found = [_first(answer) for answer in answers]
    for each in found:
        each["image"].pop("filename")
    assert all(each == found[0] for each in found)


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.name)
def test_photographs_are_answered(client: Client, path: Path) -> None:
    found = _first(client.send_bytes(path.read_bytes()))
    for kind in ("single", "distribution"):
        scores = [score["score"] for score in found[kind]["scores"]]
        assert sum(scores) == pytest.approx(1, abs=1e-5)
        assert scores == sorted(scores, reverse=True)
    with Image.open(path) as image:
        assert (found["image"]["width"], found["image"]["height"]) == image.size


def test_twelve_megapixels_are_answered(client: Client) -> None:
    found = _first(client.send_bytes(encoded(noise((4000, 3000)), "JPEG")))
    assert (found["image"]["width"], found["image"]["height"]) == (4000, 3000)


def test_image_alone_and_in_a_batch_has_the_same_numbers(client: Client) -> None:
    contents = [path.read_bytes() for path in PHOTOS]
    contents += [encoded(noise((1200, 900), seed=i), "JPEG") for i in range(4)]
    batch = client.send_files(*contents).json()["predictions"]
    assert len(batch) == len(contents)
    for content, together in zip(contents, batch, strict=True):
        alone = _first(client.send_bytes(content))
        for kind in ("single", "multi", "distribution"):
            expected = {score["label"]: score["score"] for score in alone[kind]["scores"]}
            found = {score["label"]: score["score"] for score in together[kind]["scores"]}
            assert found == pytest.approx(expected, abs=1e-4)


def test_answers_are_in_the_order_of_the_images(client: Client) -> None:
    colours = [RED, BLUE, GREEN, BLUE, RED] * 4
    answer = client.send_files(*(encoded(solid(colour)) for colour in colours)).json()
    named = {RED: "red", GREEN: "green", BLUE: "blue"}
    found = [each["single"]["label"] for each in answer["predictions"]]
    assert found == [named[colour] for colour in colours]
    names = [each["image"]["filename"] for each in answer["predictions"]]
    assert names == [f"{i}.bin" for i in range(len(colours))]


def test_many_clients_at_once_get_their_own_answers(client: Client) -> None:
    colours = {"red": encoded(solid(RED)), "green": encoded(solid(GREEN))}
    wrong: list[str] = []

    async def ask(name: str) -> None:
        response = await client.http.post(
            "/v1/predictions", content=colours[name], headers={"Content-Type": "image/png"}
        )
        found = response.json()["predictions"][0]["single"]["label"]
        if found != name:
            wrong.append(found)

    async def ask_all() -> None:
        async with anyio.create_task_group() as group:
            for name in ["red", "green"] * 30:
                group.start_soon(ask, name)

    client.portal.call(ask_all)
    assert wrong == []


def test_only_the_outputs_asked_for_are_answered(client: Client) -> None:
    found = _first(client.send_bytes(encoded(solid()), outputs="distribution, single"))
    assert found.keys() == {"image", "single", "distribution"}


def test_top_k_cuts_each_list_of_scores(client: Client) -> None:
    found = _first(client.send_bytes(encoded(solid()), top_k="1"))
    assert [len(found[kind]["scores"]) for kind in ("single", "multi", "distribution")] == [1] * 3


def test_work_is_timed(client: Client) -> None:
    timing = client.send_bytes(encoded(solid())).headers["server-timing"]
    names = [part.split(";dur=")[0] for part in timing.split(", ")]
    assert names == ["decode", "queue", "inference"]
    assert all(float(part.split("dur=")[1]) >= 0 for part in timing.split(", "))


def test_mean_of_the_grid_plus_the_bias_is_the_logit(tmp_path: Path) -> None:
    biased = tiny_outputs(bias=(0.5, -0.25, 0.125))
    folder = tmp_path / "shipped" / "tiny"
    write_tiny_bundle(folder / "1", outputs=biased)
    (folder / "aliases.json").write_text('{"production": "1"}')
    logits = {}
    with serving(tiny_settings(tmp_path)) as client:
        content = PHOTOS[0].read_bytes()
        for output in biased:
            options = {"explain": "heatmap", "explain_output": output.kind.value}
            for label in output.labels.names:
                found = _first(client.send_bytes(content, explain_label=label, **options))
                explained = found["explanation"]
                assert (explained["output"], explained["label"]) == (output.kind, label)
                logits[label] = np.mean(explained["grid"]) + explained["bias"]
            scores = {score["label"]: score["score"] for score in found[output.kind]["scores"]}
            values = np.array([logits[label] for label in output.labels.names])
            expected = 1 / (1 + np.exp(-values))
            if output.kind is not LabelKind.MULTI:
                expected = np.exp(values) / np.exp(values).sum()
            assert [scores[name] for name in output.labels.names] == pytest.approx(
                expected.tolist(), abs=1e-6
            )


def test_top_label_of_single_is_explained_by_default(client: Client) -> None:
    content = encoded(halves(RED, (255, 0, 255), (64, 32)))
    found = _first(client.send_bytes(content, explain="heatmap", outputs="multi"))
    explained = found["explanation"]
    assert (explained["output"], explained["label"]) == ("single", "red")
    assert np.array(explained["grid"]) == pytest.approx(np.ones((2, 2)))
    blue = _first(client.send_bytes(content, explain="heatmap", explain_label="blue"))
    assert np.array(blue["explanation"]["grid"])[:, 0] == pytest.approx(np.zeros(2), abs=0.1)
    assert np.array(blue["explanation"]["grid"])[:, 1] == pytest.approx(np.ones(2), abs=0.1)


def test_explanation_is_drawn_in_the_proportions_of_the_image(client: Client) -> None:
    content = encoded(noise((800, 400)), "JPEG")
    found = _first(client.send_bytes(content, explain="heatmap"))
    png = base64.b64decode(found["explanation"]["png_base64"])
    with Image.open(BytesIO(png), formats=("PNG",)) as image:
        assert image.size == (448, 224)


def test_a_model_without_single_explains_its_first_output(tmp_path: Path) -> None:
    folder = tmp_path / "shipped" / "tiny"
    write_tiny_bundle(folder / "1", outputs=tiny_outputs([LabelKind.MULTI]))
    (folder / "aliases.json").write_text('{"production": "1"}')
    with serving(tiny_settings(tmp_path)) as client:
        found = _first(client.send_bytes(encoded(solid()), explain="heatmap"))
        assert found["explanation"]["output"] == "multi"
        assert found.keys() == {"image", "multi", "explanation"}
        problem = assert_problem(client.send_bytes(encoded(solid()), outputs="single"), 422)
        assert "it has: multi" in problem["detail"]


def test_bad_image_among_good_ones_has_its_error_in_its_place(client: Client) -> None:
    good, bad = encoded(solid()), b"not an image"
    found = client.send_files(good, bad, good[:60], good).json()["predictions"]
    assert found[0]["single"]["label"] == found[3]["single"]["label"] == "red"
    assert [found[place]["error"]["status"] for place in (1, 2)] == [415, 422]
    assert found[1].keys() == {"error"}
    assert found[1]["error"]["type"] == "urn:sentiscope:problem:unsupported-format"
    assert found[1]["error"]["instance"] == "/v1/predictions#/predictions/1"


def test_when_all_images_are_bad_the_first_error_is_the_answer(client: Client) -> None:
    response = client.send_files(b"not an image", encoded(solid())[:60])
    problem = assert_problem(response, 415)
    assert [part["loc"] for part in problem["errors"]] == [["images", 0], ["images", 1]]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"top_k": "0"}, "top_k"),
        ({"top_k": "-1"}, "top_k"),
        ({"top_k": "NaN"}, "top_k"),
        ({"top_k": "1e999"}, "top_k"),
        ({"top_k": ""}, "top_k"),
        ({"outputs": "happiness"}, "known: single, multi, distribution"),
        ({"outputs": ""}, "outputs"),
        ({"outputs": "single,,multi"}, "outputs"),
        ({"explain": "yes"}, "explain"),
        ({"explain_label": "red"}, "need explain=heatmap"),
        ({"explain": "heatmap", "explain_label": "joy"}, "known labels: red, green, blue"),
        ({"explain": "heatmap", "explain_output": "joy"}, "explain_output"),
        ({"topk": "1"}, "topk: unknown option"),
        ({"model": ""}, "model"),
    ],
    ids=str,
)
def test_wrong_option_is_named(client: Client, query: dict[str, str], named: str) -> None:
    problem = assert_problem(client.send_bytes(encoded(solid()), **query), 422)
    assert named in problem["detail"]
    assert problem["errors"]
    assert client.send_bytes(encoded(solid())).status_code == 200


def test_every_wrong_option_is_listed(client: Client) -> None:
    response = client.send_bytes(b"", top_k="0", outputs="x", nonsense="1")
    problem = assert_problem(response, 422)
    assert sorted(part["loc"][1] for part in problem["errors"]) == ["nonsense", "outputs", "top_k"]


@pytest.mark.parametrize("reference", ["tiny", "tiny@1", "tiny@production"])
def test_model_is_named_by_name_version_or_alias(client: Client, reference: str) -> None:
    response = client.send_bytes(encoded(solid()), model=reference)
    assert response.json()["model"]["version"] == "1"


@pytest.mark.parametrize(
    "reference", ["joy", "tiny@2", "tiny@canary", "tiny@", "@1", "../tiny", "TINY", "tiny@1@1"]
)
def test_unknown_model_is_not_found(client: Client, reference: str) -> None:
    assert_problem(client.send_bytes(encoded(solid()), model=reference), 404)


def test_unknown_model_names_the_known_ones(client: Client) -> None:
    problem = assert_problem(client.send_bytes(encoded(solid()), model="joy"), 404)
    assert "known models: tiny" in problem["detail"]


def test_missing_model_of_the_service_is_not_a_mistake_of_the_client(tmp_path: Path) -> None:
    with serving(tiny_settings(tmp_path, model="default")) as client:
        problem = assert_problem(client.send_bytes(encoded(solid())), 503)
        assert "'default' is missing" in problem["detail"]
        publish_tiny(tmp_path, "default")
        assert client.send_bytes(encoded(solid())).status_code == 200


def test_model_without_the_precision_that_is_set_is_refused(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    with serving(tiny_settings(tmp_path, precision="int8")) as client:
        problem = assert_problem(client.send_bytes(encoded(solid())), 503)
        assert "no int8 graph" in problem["detail"]


def test_full_queue_is_answered_with_a_time_to_retry(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    settings = tiny_settings(tmp_path, workers=1, queue_size=3, max_images=3)
    content = encoded(noise((2000, 2000)))
    statuses: list[int] = []
    refused: list[Any] = []

    with serving(settings) as client:

        async def ask() -> None:
            response = await client.http.post(
                "/v1/predictions", content=content, headers={"Content-Type": "image/png"}
            )
            statuses.append(response.status_code)
            if response.status_code != 200:
                refused.append(response)

        async def ask_all() -> None:
            async with anyio.create_task_group() as group:
                for _ in range(12):
                    group.start_soon(ask)

        client.portal.call(ask_all)
        assert set(statuses) == {200, 429}
        assert statuses.count(200) >= 3
        for response in refused:
            assert_problem(response, 429)
            assert int(response.headers["retry-after"]) >= 1
        assert client.send_bytes(content).status_code == 200


def test_deadline_is_answered(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    with serving(tiny_settings(tmp_path, deadline_s=0.001)) as client:
        problem = assert_problem(client.send_bytes(encoded(noise((1500, 1500)))), 504)
        assert "0.001 s" in problem["detail"]


def test_coverage_adds_a_set_of_labels(client: Client) -> None:
    content = encoded(solid())
    plain = client.send_bytes(content).json()["predictions"][0]["single"]
    assert "set" not in plain
    asked = client.send_bytes(content, coverage="0.9").json()["predictions"][0]["single"]
    assert asked["set"]["coverage"] == 0.9
    assert asked["set"]["labels"][0] == plain["label"]


def test_coverage_that_the_model_lacks_names_those_it_has(client: Client) -> None:
    problem = assert_problem(client.send_bytes(encoded(solid()), coverage="0.7"), 422)
    assert "0.9, 0.5" in problem["detail"]
    without = client.send_bytes(encoded(solid()), coverage="0.9", outputs="multi")
    assert "there are: none" in assert_problem(without, 422)["detail"]


def test_model_that_takes_long_to_load_is_waited_for_as_long_as_an_image(tmp_path: Path) -> None:
    registry = publish_tiny(tmp_path)
    registry.publish("tiny", tiny_writer("tiny"))
    with serving(tiny_settings(tmp_path, deadline_s=0.2)) as client:
        with occupied(client) as work:
            assert_problem(client.send_bytes(encoded(solid()), model="tiny@2"), 504)
            path = "/v2/models/tiny/versions/2/infer"
            assert client.request("POST", path, content=b"{}").status_code == 504
            assert not work.done()
        assert client.get("/v2/models/tiny/versions/2/ready").status_code == 200
