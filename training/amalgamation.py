"""Amalgamation: teachers and a student see the same batch, and the student is drawn to them all.

Feng, Liu, Yang, "Probing Sentiment-Oriented Pre-Training Inspired by Human Sentiment Perception
Mechanism", CVPR 2023, section 3.4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.labels import LabelKind
from training.config.downstream import TeacherConfig
from training.data.labelled import Batch
from training.network import Forward, SentimentNetwork
from training.objectives import task_losses


@dataclass(frozen=True, slots=True)
class Ties:
    """What ties one teacher to the student, and how.

    `match` is the stage, 1 to 4, whose feature maps are drawn together; none: no stage's. Where it
    is `relative` their distance is measured against the mean square of the teacher's map.
    """

    name: str
    match: int | None
    match_logits: bool
    weight: float
    trainable: bool
    detach: bool
    relative: bool = False

    @classmethod
    def of(cls, teacher: TeacherConfig) -> Self:
        """As configured."""
        return cls(**teacher.model_dump(exclude={"weights"}))

    @property
    def needs_logits(self) -> bool:
        """Whether the teacher has to be run to its heads."""
        return self.trainable or self.match_logits


class Taught(NamedTuple):
    """One pass of every network over the same images; of teachers in the order of their ties."""

    student: Forward
    teachers: tuple[Forward, ...]


class AmalgamationNetwork(nn.Module):
    """A student and its teachers, all of the same architecture; only the student is kept."""

    def __init__(
        self,
        student: SentimentNetwork,
        teachers: Sequence[SentimentNetwork],
        ties: Sequence[Ties],
    ) -> None:
        super().__init__()
        self.student = student
        self.teachers = nn.ModuleDict(
            {tie.name: teacher for tie, teacher in zip(ties, teachers, strict=True)}
        )
        self.ties = tuple(ties)
        for tie in self.ties:
            self.teacher(tie).requires_grad_(tie.trainable)

    def teacher(self, tie: Ties) -> SentimentNetwork:
        """The teacher of `tie`."""
        teacher = self.teachers[tie.name]
        assert isinstance(teacher, SentimentNetwork)
        return teacher

    def train(self, mode: bool = True) -> Self:
        """Frozen teachers stay in evaluation mode: their BatchNorm statistics do not move."""
        super().train(mode)
        for tie in self.ties:
            self.teacher(tie).train(mode and tie.trainable)
        return self

    def forward(self, images: Tensor) -> Taught:
        """Passes over `images` (B,3,H,W); a frozen teacher is run without gradients, and only up
        to the stage that is matched."""
        return Taught(self.student(images), tuple(self._taught(tie, images) for tie in self.ties))

    def _taught(self, tie: Ties, images: Tensor) -> Forward:
        teacher = self.teacher(tie)
        with torch.set_grad_enabled(tie.trainable and torch.is_grad_enabled()):
            if tie.needs_logits:
                passed: Forward = teacher(images)
                return passed
            return Forward(teacher.backbone.until(images, stages=tie.match or 0), {})


def amalgamation_loss(
    taught: Taught,
    ties: Sequence[Ties],
    batch: Batch,
    *,
    loss_weights: Mapping[LabelKind, float],
) -> dict[str, Tensor]:
    """The named terms of

        L_task(student) + sum_t [ L_task(t) + w_t (MSE(f_k(t), f_k(student)) + MSE(logits)) ]

    where the task term is there for trained teachers, the MSE terms where a tie asks for them.
    Every MSE is a mean over all its elements, in float32, that of relative maps divided by the mean
    square of the teacher's (which is no part of the gradient); with several heads the task and
    logit terms are summed over them, in the weights of their kinds. No term is detached unless its
    tie says so: the gradient of an MSE flows into student and teacher alike.
    """
    terms = _task_terms("student", taught.student, batch, loss_weights)
    for tie, teacher in zip(ties, taught.teachers, strict=True):
        if tie.trainable:
            terms |= _task_terms(tie.name, teacher, batch, loss_weights)
        terms |= _matching_terms(tie, teacher, taught.student, loss_weights)
    return terms


def _task_terms(
    name: str, found: Forward, batch: Batch, loss_weights: Mapping[LabelKind, float]
) -> dict[str, Tensor]:
    losses = task_losses(found.logits, batch, weights=loss_weights)
    return {f"{name}.{kind}": loss for kind, loss in losses.items()}


def _matching_terms(
    tie: Ties, teacher: Forward, student: Forward, loss_weights: Mapping[LabelKind, float]
) -> dict[str, Tensor]:
    terms = {}
    if tie.match is not None:
        at = tie.match - 1
        distance = _distance(tie, teacher.maps[at], student.maps[at])
        if tie.relative:
            distance = distance / teacher.maps[at].detach().float().square().mean()
        terms[f"{tie.name}.map{tie.match}"] = distance
    if tie.match_logits:
        for kind, logits in teacher.logits.items():
            terms[f"{tie.name}.logits.{kind}"] = loss_weights.get(kind, 1.0) * _distance(
                tie, logits, student.logits[kind]
            )
    return terms


def _distance(tie: Ties, teacher: Tensor, student: Tensor) -> Tensor:
    """The tie's weight times the mean squared error of two tensors of one shape."""
    target = teacher.detach() if tie.detach else teacher
    return tie.weight * F.mse_loss(student.float(), target.float())
