"""Files of weights: what fits is loaded, and everything else is refused with a reason."""

import functools
from pathlib import Path

import pytest
import torch
import torchvision.models as tv
from safetensors.torch import save_file
from torch import Tensor

from training.backbone import Backbone, WeightsDoNotFit, WeightsUnavailable, build_backbone
from training.config.backbone import BackboneConfig, BackboneName, FileWeights, TorchvisionWeights

CACHED = "hub/checkpoints/mobilenet_v2-b0353104.pth"
"""Where torchvision keeps the weights it downloaded, below TORCH_HOME."""


@functools.cache
def network() -> tv.MobileNetV2:
    torch.manual_seed(0)
    return tv.mobilenet_v2()


def state() -> dict[str, Tensor]:
    found: dict[str, Tensor] = network().state_dict()
    return dict(found)


def load(path: Path) -> Backbone:
    return build_backbone(
        BackboneConfig(name=BackboneName.MOBILENET_V2, weights=FileWeights(path=path))
    )


def saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def assert_is_network(backbone: Backbone) -> None:
    own = list(network().features.parameters())
    pairs = zip(backbone.parameters(), own, strict=True)
    assert all(torch.equal(mine, theirs) for mine, theirs in pairs)


def test_a_pth_file_of_torchvisions_whole_network_loads(tmp_path: Path) -> None:
    assert_is_network(load(saved(tmp_path / "weights.pth", state())))


def test_a_safetensors_file_of_torchvisions_whole_network_loads(tmp_path: Path) -> None:
    save_file(state(), tmp_path / "weights.safetensors")
    assert_is_network(load(tmp_path / "weights.safetensors"))


def test_weights_that_torchvision_has_downloaded_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / CACHED).parent.mkdir(parents=True)
    saved(tmp_path / CACHED, state())
    config = BackboneConfig(name=BackboneName.MOBILENET_V2, weights=TorchvisionWeights())
    assert_is_network(build_backbone(config))


def test_a_broken_download_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / CACHED).parent.mkdir(parents=True)
    (tmp_path / CACHED).write_bytes(b"no weights")
    config = BackboneConfig(name=BackboneName.MOBILENET_V2, weights=TorchvisionWeights())
    with pytest.raises(WeightsUnavailable, match="use a file instead"):
        build_backbone(config)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    content = state()
    del content["features.18.1.bias"]
    with pytest.raises(
        WeightsDoNotFit, match=r"1 keys missing \['features.18.1.bias'\], 0 unknown"
    ):
        load(saved(tmp_path / "weights.pth", content))


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    content = state() | {"features.19.weight": torch.ones(1)}
    with pytest.raises(WeightsDoNotFit, match=r"0 keys missing \[\], 1 unknown \['features.19.w"):
        load(saved(tmp_path / "weights.pth", content))


def test_a_tensor_of_another_shape_is_named(tmp_path: Path) -> None:
    content = state() | {"features.0.0.weight": torch.ones(32, 1, 3, 3)}
    with pytest.raises(WeightsDoNotFit, match=r"1 of another shape \['features.0.0.weight'\]"):
        load(saved(tmp_path / "weights.pth", content))


def test_another_backbones_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsDoNotFit, match="keys missing"):
        load(saved(tmp_path / "weights.pth", tv.resnet18().state_dict()))


@pytest.mark.parametrize(
    "given", [{"state_dict": {}, "epoch": 3}, {"epoch": 3}, {3: torch.ones(1)}]
)
def test_a_checkpoint_of_other_code_is_refused(tmp_path: Path, given: object) -> None:
    with pytest.raises(WeightsDoNotFit):
        load(saved(tmp_path / "weights.pth", given))


def test_values_that_are_no_tensors_are_refused(tmp_path: Path) -> None:
    content = {**state(), "features.0.0.weight": 3}
    with pytest.raises(WeightsDoNotFit, match="of another shape"):
        load(saved(tmp_path / "weights.pth", content))


def test_a_list_is_no_state_dictionary(tmp_path: Path) -> None:
    with pytest.raises(WeightsDoNotFit, match="holds a list"):
        load(saved(tmp_path / "weights.pth", [torch.ones(1)]))


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_a_corrupt_file_is_unavailable(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x80no weights at all")
    with pytest.raises(WeightsUnavailable, match=f"{name} is not a readable weights file"):
        load(tmp_path / name)


def test_a_truncated_file_is_unavailable(tmp_path: Path) -> None:
    file = saved(tmp_path / "weights.pth", state())
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(WeightsUnavailable):
        load(file)


def test_an_absent_file_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnavailable, match="no weights file at"):
        load(tmp_path / "weights.pth")


class Harmful:
    """What runs code when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return (Path.touch, (self._mark,))


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    file = saved(tmp_path / "weights.pth", state() | {"features.0.0.weight": Harmful(mark)})
    with pytest.raises(WeightsUnavailable):
        load(file)
    assert not mark.exists()
