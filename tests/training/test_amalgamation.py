"""The amalgamation loss against the paper's formula, and what freezing and detaching cut off."""

import copy
from collections.abc import Iterable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.labels import LabelKind, LabelSet
from training.amalgamation import AmalgamationNetwork, Ties, amalgamation_loss
from training.backbone import build_backbone
from training.config.backbone import BackboneConfig, BackboneName
from training.data.labelled import Batch
from training.network import Forward, SentimentNetwork

SINGLE, MULTI, DISTRIBUTION = LabelKind.SINGLE, LabelKind.MULTI, LabelKind.DISTRIBUTION
ABC = LabelSet(names=("a", "b", "c"))
NAMES = ("stimuli", "organizing", "perceiving")


def tie(name: str, **changes: object) -> Ties:
    """The paper's tie of one teacher, changed."""
    match = NAMES.index(name) + 2
    paper = {
        "match": match,
        "match_logits": name == "perceiving",
        "weight": 1.0,
        "trainable": True,
        "detach": False,
    }
    return Ties(name, **{**paper, **changes})  # type: ignore[arg-type]


PAPER = tuple(map(tie, NAMES))


def network(seed: int, kinds: Iterable[LabelKind]) -> SentimentNetwork:
    torch.manual_seed(seed)
    backbone = build_backbone(BackboneConfig(name=BackboneName.MOBILENET_V2))
    return SentimentNetwork(backbone, dict.fromkeys(kinds, ABC), dropout=0.0)


def amalgamation(
    ties: tuple[Ties, ...] = PAPER, kinds: tuple[LabelKind, ...] = (SINGLE,)
) -> AmalgamationNetwork:
    teachers = [network(1 + number, kinds) for number in range(len(ties))]
    return AmalgamationNetwork(network(0, kinds), teachers, ties)


def batch(size: int = 3) -> Batch:
    generator = torch.Generator().manual_seed(0)
    shares = torch.rand(size, 3, generator=generator)
    present = torch.ones(size, dtype=torch.bool)
    return Batch(
        torch.randn(size, 3, 64, 64, generator=generator),
        {
            SINGLE: torch.arange(size) % 3,
            MULTI: (shares > 0.4).float(),
            DISTRIBUTION: shares / shares.sum(1, keepdim=True),
        },
        dict.fromkeys(LabelKind, present),
    )


def loss(
    found: AmalgamationNetwork, given: Batch, weights: dict[LabelKind, float] | None = None
) -> dict[str, Tensor]:
    return amalgamation_loss(found(given.images), found.ties, given, loss_weights=weights or {})


def summed(terms: dict[str, Tensor]) -> Tensor:
    return torch.stack(list(terms.values())).sum()


def gradient_norm(module: torch.nn.Module) -> float:
    return sum(float(p.grad.norm()) for p in module.parameters() if p.grad is not None)


def test_the_loss_is_the_papers_formula() -> None:
    found, given = amalgamation().eval(), batch()
    target = given.targets[SINGLE]
    student = found.student(given.images)
    expected = F.cross_entropy(student.logits[SINGLE], target)
    for name, k in (("stimuli", 2), ("organizing", 3), ("perceiving", 4)):
        teacher = found.teachers[name](given.images)
        expected += F.cross_entropy(teacher.logits[SINGLE], target)
        expected += ((teacher.maps[k - 1] - student.maps[k - 1]) ** 2).mean()
        if name == "perceiving":
            expected += ((teacher.logits[SINGLE] - student.logits[SINGLE]) ** 2).mean()
    terms = loss(found, given)
    assert sorted(terms) == [
        "organizing.map3",
        "organizing.single",
        "perceiving.logits.single",
        "perceiving.map4",
        "perceiving.single",
        "stimuli.map2",
        "stimuli.single",
        "student.single",
    ]
    assert summed(terms).item() == pytest.approx(expected.item(), rel=1e-5)


def test_task_and_logit_terms_are_there_for_every_head_in_the_weight_of_its_kind() -> None:
    kinds = (SINGLE, MULTI, DISTRIBUTION)
    found, given = amalgamation(kinds=kinds).eval(), batch()
    plain = loss(found, given)
    weighted = loss(found, given, {MULTI: 0.25})
    assert {f"{name}.{kind}" for name in ("student", *NAMES) for kind in kinds} < plain.keys()
    assert {f"perceiving.logits.{kind}" for kind in kinds} < plain.keys()
    for name, term in plain.items():
        factor = 0.25 if name.endswith("multi") else 1.0
        assert weighted[name].item() == pytest.approx(factor * term.item()), name


def test_a_student_equal_to_its_teachers_has_no_distance_to_them() -> None:
    found = amalgamation().eval()
    for each in found.teachers.values():
        each.load_state_dict(found.student.state_dict())
    terms = loss(found, batch())
    distances = {name: t.item() for name, t in terms.items() if "map" in name or "logits" in name}
    assert set(distances.values()) == {0.0}


def test_gradients_of_a_distance_flow_both_ways_unless_detached() -> None:
    for detach, teacher_moves in ((False, True), (True, False)):
        found = amalgamation((tie("organizing", detach=detach),)).train()
        loss(found, batch())["organizing.map3"].backward()  # type: ignore[no-untyped-call]
        assert gradient_norm(found.student) > 0
        assert (gradient_norm(found.teachers) > 0) is teacher_moves


def test_a_frozen_teacher_neither_learns_nor_moves_its_statistics() -> None:
    ties = (tie("stimuli", trainable=False), tie("perceiving", trainable=False))
    found = amalgamation(ties).train()
    before = copy.deepcopy(found.teachers.state_dict())
    terms = loss(found, batch())
    summed(terms).backward()  # type: ignore[no-untyped-call]
    assert gradient_norm(found.teachers) == 0
    assert gradient_norm(found.student) > 0
    assert "stimuli.single" not in terms
    assert all(torch.equal(v, before[k]) for k, v in found.teachers.state_dict().items())


def test_a_frozen_teacher_is_run_no_further_than_it_is_matched() -> None:
    found = amalgamation((tie("stimuli", trainable=False),))
    ran = []
    for number, stage in enumerate(found.teacher(found.ties[0]).backbone.stages, start=1):
        stage.register_forward_hook(lambda *_, number=number: ran.append(number))
    taught = found(batch().images)
    assert ran == [1, 2]
    assert len(taught.teachers[0].maps) == 2


def test_any_subset_of_teachers_will_do() -> None:
    for ties in (PAPER[:1], PAPER[1:], (tie("organizing", match=None, match_logits=True),)):
        terms = loss(amalgamation(ties), batch(1))
        assert {name.partition(".")[0] for name in terms} == {"student", *(t.name for t in ties)}


def test_relative_maps_are_as_far_apart_at_any_scale() -> None:
    ties = (tie("stimuli", relative=True), tie("organizing"))
    found, given = amalgamation(ties).eval(), batch()
    taught = found(given.images)
    scaled = taught._replace(
        student=_times(taught.student, 3), teachers=tuple(_times(t, 3) for t in taught.teachers)
    )
    terms, threefold = (
        amalgamation_loss(each, found.ties, given, loss_weights={}) for each in (taught, scaled)
    )
    of_student, of_teacher = (
        each.maps[1].detach() for each in (taught.student, taught.teachers[0])
    )
    expected = (of_student - of_teacher).square().mean() / of_teacher.square().mean()
    assert terms["stimuli.map2"].item() == pytest.approx(expected.item())
    assert threefold["stimuli.map2"].item() == pytest.approx(expected.item())
    assert threefold["organizing.map3"].item() == pytest.approx(9 * terms["organizing.map3"].item())


def _times(found: Forward, factor: float) -> Forward:
    return found._replace(maps=tuple(factor * each for each in found.maps))


def test_the_weight_of_a_tie_scales_its_distances_alone() -> None:
    plain = loss(amalgamation((tie("perceiving"),)).eval(), batch())
    scaled = loss(amalgamation((tie("perceiving", weight=0.5),)).eval(), batch())
    for name, term in plain.items():
        factor = 0.5 if "map" in name or "logits" in name else 1.0
        assert scaled[name].item() == pytest.approx(factor * term.item(), rel=1e-5), name
