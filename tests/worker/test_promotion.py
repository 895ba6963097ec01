"""Which version an alias points to in the end, and the reasons given."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from models.bundle import MANIFEST, write_manifest
from models.labels import LabelKind
from models.manifest import Evaluation, Manifest, Precision
from models.registry import Registry, UnknownModel
from tests.tiny_bundle import write_tiny_bundle
from training.config.pipeline import BetterOn, Promotion
from worker.promotion import better, promote

NAME = "tiny"
PROTOCOL = "pictures, test split of the data set with digest 0123456789ab"
ON_TOP1 = Promotion(only_if_better=BetterOn(output=LabelKind.SINGLE, metric="top1"))


def measured(value: float, **changes: Any) -> Evaluation:
    """An evaluation that says so."""
    given = {
        "output": LabelKind.SINGLE,
        "dataset": "pictures",
        "split": "test",
        "protocol": PROTOCOL,
        "images": 100,
        "metrics": {"top1": value, "loss": 1 - value},
    }
    return Evaluation.model_validate(given | changes)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models", shipped=tmp_path / "shipped")


def published(registry: Registry, *evaluations: Evaluation) -> str:
    """The version of a new bundle with these figures."""

    def write(folder: Path, version: str) -> None:
        manifest = write_tiny_bundle(folder, name=NAME, version=version)
        write_manifest(folder, manifest.model_copy(update={"evaluations": evaluations}))

    return registry.publish(NAME, write).manifest.version


def in_production(registry: Registry, *evaluations: Evaluation) -> str:
    version = published(registry, *evaluations)
    registry.set_alias(NAME, "production", version=version)
    return version


def pointed_to(registry: Registry) -> str | None:
    return registry.aliases(NAME).get("production")


def test_without_a_promotion_no_alias_moves(registry: Registry) -> None:
    version = published(registry)
    verdict = promote(registry, None, name=NAME, version=version)
    assert not verdict.promoted
    assert "no promotion" in verdict.reason
    assert pointed_to(registry) is None


def test_an_alias_that_points_nowhere_is_given_whatever_the_gate(registry: Registry) -> None:
    version = published(registry)
    assert promote(registry, ON_TOP1, name=NAME, version=version).promoted
    assert pointed_to(registry) == version


def test_without_a_condition_the_alias_moves(registry: Registry) -> None:
    in_production(registry, measured(0.9))
    worse = published(registry, measured(0.1))
    verdict = promote(registry, Promotion(), name=NAME, version=worse)
    assert verdict.promoted
    assert "from version 1" in verdict.reason
    assert pointed_to(registry) == worse


def test_a_better_figure_moves_the_alias(registry: Registry) -> None:
    in_production(registry, measured(0.5))
    version = published(registry, measured(0.6))
    verdict = promote(registry, ON_TOP1, name=NAME, version=version)
    assert verdict.promoted
    assert verdict.reason == "top1 of single is 0.6, in version 1 0.5: better"
    assert pointed_to(registry) == version


@pytest.mark.parametrize("value", [0.5, 0.4])
def test_an_equal_or_worse_figure_does_not(registry: Registry, value: float) -> None:
    current = in_production(registry, measured(0.5))
    version = published(registry, measured(value))
    verdict = promote(registry, ON_TOP1, name=NAME, version=version)
    assert not verdict.promoted
    assert verdict.reason == f"top1 of single is {value}, in version 1 0.5: not better"
    assert pointed_to(registry) == current


def test_another_alias_can_be_meant(registry: Registry) -> None:
    current = in_production(registry)
    version = published(registry)
    assert promote(registry, Promotion(alias="staging"), name=NAME, version=version).promoted
    assert registry.aliases(NAME) == {"production": current, "staging": version}


def test_a_repeated_promotion_says_yes_and_changes_nothing(registry: Registry) -> None:
    in_production(registry, measured(0.5))
    version = published(registry, measured(0.6))
    promote(registry, ON_TOP1, name=NAME, version=version)
    again = promote(registry, ON_TOP1, name=NAME, version=version)
    assert again.promoted
    assert pointed_to(registry) == version


class Overtaken(Registry):
    """A registry in which another promotion, of version 2, comes just before this one."""

    def move_alias(self, name: str, alias: str, *, version: str, expected: str | None) -> bool:
        self.set_alias(name, alias, version="2")
        return super().move_alias(name, alias, version=version, expected=expected)


def test_it_is_judged_against_the_version_that_it_replaces(registry: Registry) -> None:
    in_production(registry, measured(0.5))
    better_one = published(registry, measured(0.7))
    version = published(registry, measured(0.6))
    overtaken = Overtaken(registry.root, registry.shipped)
    verdict = promote(overtaken, ON_TOP1, name=NAME, version=version)
    assert not verdict.promoted
    assert verdict.reason == "top1 of single is 0.6, in version 2 0.7: not better"
    assert pointed_to(registry) == better_one


def test_of_many_promotions_at_once_the_best_one_stays(registry: Registry) -> None:
    versions = [published(registry, measured(figure / 100)) for figure in (4, 9, 2, 7, 5, 8, 3, 6)]
    for _ in range(5):
        registry.set_alias(NAME, "production", version=versions[2])
        with ThreadPoolExecutor(len(versions)) as pool:
            list(pool.map(lambda v: promote(registry, ON_TOP1, name=NAME, version=v), versions))
        assert pointed_to(registry) == versions[1]


def test_a_version_that_is_gone_is_an_error(registry: Registry) -> None:
    published(registry)
    with pytest.raises(UnknownModel):
        promote(registry, Promotion(), name=NAME, version="7")


def test_a_broken_version_in_production_is_not_compared(registry: Registry) -> None:
    current = in_production(registry, measured(0.5))
    (registry.path(NAME, current) / MANIFEST).write_text("{}")
    version = published(registry, measured(0.6))
    verdict = promote(registry, ON_TOP1, name=NAME, version=version)
    assert not verdict.promoted
    assert "version 1 cannot be compared" in verdict.reason


def manifest(tmp_path: Path, version: str, *evaluations: Evaluation) -> Manifest:
    made = write_tiny_bundle(tmp_path / version, name=NAME, version=version)
    return made.model_copy(update={"evaluations": evaluations})


def judged(tmp_path: Path, new: Any, old: Any, **gate: Any) -> tuple[bool, str]:
    asked = {"output": LabelKind.SINGLE, "metric": "top1"} | gate
    verdict = better(
        BetterOn.model_validate(asked),
        candidate=manifest(tmp_path, "2", *new),
        current=manifest(tmp_path, "1", *old),
    )
    return verdict.promoted, verdict.reason


def test_the_gain_can_be_given_a_least_size(tmp_path: Path) -> None:
    pair = [measured(0.75)], [measured(0.5)]
    assert judged(tmp_path, *pair, by=0.25)[0]
    promoted, reason = judged(tmp_path, *pair, by=0.26)
    assert not promoted
    assert reason.endswith("not better by at least 0.26")


def test_a_figure_that_falls_can_be_the_better_one(tmp_path: Path) -> None:
    pair = [measured(0.75)], [measured(0.5)]
    assert judged(tmp_path, *pair, metric="loss", higher_is_better=False)[0]
    assert not judged(tmp_path, *pair, metric="loss")[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"output": LabelKind.DISTRIBUTION},
        {"precision": Precision.INT8},
        {"metrics": {"macro_f1": 0.9}},
    ],
)
def test_figures_of_something_else_do_not_count(tmp_path: Path, changes: dict[str, Any]) -> None:
    promoted, reason = judged(tmp_path, [measured(0.9, **changes)], [measured(0.5)])
    assert not promoted
    assert reason == "version 2 has no top1 of single to compare"
    promoted, reason = judged(tmp_path, [measured(0.9)], [measured(0.5, **changes)])
    assert not promoted
    assert reason == "version 1 has no top1 of single to compare"


def test_figures_of_other_data_are_not_compared(tmp_path: Path) -> None:
    other = measured(0.1, protocol=PROTOCOL.replace("0123456789ab", "ba9876543210"))
    promoted, reason = judged(tmp_path, [measured(0.9)], [other])
    assert not promoted
    assert "never measured by the same protocol" in reason
    assert "0123456789ab" in reason
    assert "ba9876543210" in reason


def test_it_has_to_be_better_on_every_data_set_both_know(tmp_path: Path) -> None:
    second = {"dataset": "others", "protocol": "others, by digest 1"}
    third = {"dataset": "thirds", "protocol": "thirds, by digest 1"}
    old = [measured(0.5), measured(0.5, **second)]
    assert judged(tmp_path, [measured(0.6), measured(0.7, **second)], old)[0]
    assert not judged(tmp_path, [measured(0.6), measured(0.4, **second)], old)[0]
    assert judged(tmp_path, [measured(0.6), measured(0.1, **third)], old)[0]
