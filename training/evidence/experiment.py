"""A plan on a profile: its cells, the configuration of every run, and where all of it is kept."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.preprocessing import Preprocessing
from training.config.downstream import AmalgamateConfig, FinetuneConfig
from training.config.image import ImageConfig
from training.config.presets import configured, laid_over, settled
from training.config.pretraining import PretrainConfig
from training.evidence.plan import (
    IMAGENET,
    SCRATCH,
    SHIPPED,
    BadPlan,
    Data,
    Method,
    Plan,
    Profile,
    Row,
    Settings,
    TeacherRow,
)

LabelledConfig = FinetuneConfig | AmalgamateConfig


@dataclass(frozen=True, slots=True)
class Cell:
    """One training to be scored: a row on a data set, for one fold and one seed."""

    row: str
    data: str
    fold: int | None
    seed: int

    @property
    def part(self) -> str:
        """Fold and seed in a word."""
        fold = "" if self.fold is None else f"fold{self.fold}-"
        return f"{fold}seed{self.seed}"

    @property
    def path(self) -> Path:
        """Where it lies below the folders of cells and results."""
        return Path(self.row, self.data, self.part)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which cells of a plan; an empty choice is all of them."""

    rows: Collection[str] = ()
    data: Collection[str] = ()
    seeds: Collection[int] = ()
    folds: Collection[int] = ()

    def check(self, plan: Plan) -> None:
        """Raise BadPlan where a row or a data set is chosen that the plan does not have."""
        choices = (("row", self.rows, plan.rows), ("data set", self.data, plan.data))
        for what, chosen, known in choices:
            unknown = sorted({*chosen} - {*known})
            if unknown:
                raise BadPlan(f"no {what} {', '.join(unknown)}; the plan has: {', '.join(known)}")


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is to be run, and where: run folders, results and predictions lie below `folder`."""

    plan: Plan
    profile: Profile
    folder: Path
    device: str = "auto"

    def cells(self, wanted: Filter) -> Iterator[Cell]:
        """The cells row by row, in the plan's order."""
        wanted.check(self.plan)
        for row in self.plan.rows:
            for name, data in self.plan.data.items():
                if (wanted.rows and row not in wanted.rows) or (
                    wanted.data and name not in wanted.data
                ):
                    continue
                for fold in data.folds or (None,):
                    if wanted.folds and fold not in (None, *wanted.folds):
                        continue
                    for seed in data.seeds:
                        if not wanted.seeds or seed in wanted.seeds:
                            yield Cell(row, name, fold, seed)

    def row(self, cell: Cell) -> Row:
        """The row of a cell."""
        return self.plan.rows[cell.row]

    def data(self, cell: Cell) -> Data:
        """The data set of a cell."""
        return self.plan.data[cell.data]

    def dataset(self, cell: Cell) -> str:
        """Name of the canonical data set of a cell."""
        return self.data(cell).dataset.format(fold=cell.fold)

    def tuning_cell(self, cell: Cell) -> Cell:
        """Where the candidates are compared: with the first seed, by the baseline if that tunes."""
        probes = self.row(cell).method is Method.PROBE
        row = self.plan.baseline if self.profile.baseline_tunes and not probes else cell.row
        return Cell(row, cell.data, cell.fold, self.data(cell).seeds[0])

    def pretraining_folder(self, name: str) -> Path:
        """Run folder of a pre-training."""
        return self.folder / "pretraining" / name

    def pretraining_file(self, name: str) -> Path:
        """The figures of a pre-training."""
        return self.folder / "results" / "pretraining" / f"{name}.json"

    def run_folder(self, cell: Cell, candidate: str) -> Path:
        """Run folder of a cell trained with one of the candidates."""
        return self.folder / "cells" / cell.path / candidate

    def result_file(self, cell: Cell) -> Path:
        """The metrics of a cell."""
        return self.folder / "results" / "cells" / cell.path.with_suffix(".json")

    def predictions_file(self, cell: Cell) -> Path:
        """What a cell's network says of every test image."""
        return self.folder / "predictions" / cell.path.with_suffix(".npz")

    def pretraining_config(self, name: str) -> PretrainConfig | FinetuneConfig:
        """The configuration of a pre-training, from the profile's own weights."""
        spec, profile = self.plan.pretraining[name], self.profile
        backbone = {"backbone": profile.backbone.model_dump(mode="json")}
        layers = (profile.pretraining.get(spec.word, {}), spec.settings, backbone, self._compute())
        whole = _layered(spec.preset, layers)
        if "tasks" in whole:
            whole["tasks"] = [
                laid_over(t, profile.tasks.get(t["task"], {})) for t in whole["tasks"]
            ]
        made = configured(whole, origin=f"pre-training {name}")
        assert isinstance(made, PretrainConfig | FinetuneConfig)
        return made

    def cell_config(self, cell: Cell, candidate: str, starts: dict[str, Path]) -> LabelledConfig:
        """The configuration of a cell; `starts` are the run folders that its row's starts name."""
        row, profile = self.row(cell), self.profile
        amalgamates = row.method is Method.AMALGAMATE
        layers = (
            profile.downstream,
            profile.data.get(cell.data, {}),
            profile.candidates[candidate],
            self._compute(),
            {"seed": cell.seed, "datasets": [self._dataset_config(cell)]},
            {"backbone": self._backbone(row.start, starts)},
            {"teachers": [self._teacher(t, starts) for t in row.teachers]} if amalgamates else {},
        )
        preset = self.plan.amalgamate if amalgamates else self.plan.finetune
        made = configured(_layered(preset, layers), origin=f"{cell.path} with {candidate}")
        assert isinstance(made, FinetuneConfig | AmalgamateConfig)
        return made

    def normalisation(self) -> Preprocessing:
        """How the profile's weights expect an image."""
        whole = laid_over(settled({"preset": self.plan.finetune}), self.profile.downstream)
        return ImageConfig.model_validate(whole["image"]).preprocessing()

    def _compute(self) -> Settings:
        return {} if self.device == "auto" else {"compute": {"device": self.device}}

    def _dataset_config(self, cell: Cell) -> Settings:
        data = self.data(cell)
        derived = {} if data.multi_at_least is None else {"multi_at_least": data.multi_at_least}
        return {"name": self.dataset(cell), "kinds": [data.kind], **derived}

    def _backbone(self, start: str, starts: dict[str, Path]) -> Settings:
        return {"name": self.profile.backbone.name, "weights": self._weights(start, starts)}

    def _teacher(self, teacher: TeacherRow, starts: dict[str, Path]) -> Settings:
        fields = teacher.model_dump(mode="json", exclude={"start"})
        return {**fields, "weights": self._weights(teacher.start, starts)}

    def _weights(self, start: str, starts: dict[str, Path]) -> dict[str, Any]:
        if start == IMAGENET:
            return self.profile.backbone.weights.model_dump(mode="json")
        if start == SHIPPED:
            return {"source": "default_model"}
        return {"source": "random"} if start == SCRATCH else {"source": "run", "run": starts[start]}


def _layered(preset: str, layers: Iterable[Settings]) -> Settings:
    """A preset, with each layer laid over what is below it."""
    whole: Settings = settled({"preset": preset})
    for layer in layers:
        whole = laid_over(whole, layer)
    return whole
