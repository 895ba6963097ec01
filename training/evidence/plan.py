"""A plan: the table of rows and data sets of an experiment; a profile: a machine's share of it."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import yaml
from pydantic import Field, PositiveInt, ValidationError, model_validator

from models.labels import LabelKind
from training.config.backbone import BackboneConfig
from training.config.fields import Config, Fraction, Name, NonNegativeFloat, PositiveFloat, Seed
from training.errors import TrainingError

PLANS = Path(__file__).parent / "plans"
PROFILES = PLANS / "profiles"
IMAGENET, SCRATCH, SHIPPED, OF_ROW = "imagenet", "scratch", "default_model", "row:"
"""Where a network may start, beside a plan's pre-trainings: `row:NAME` is an earlier row's run."""

WITHOUT_RUN = (IMAGENET, SCRATCH, SHIPPED)
"""Of these, those that no run of the plan makes."""

Settings = dict[str, Any]
C = TypeVar("C", bound=Config)


class BadPlan(TrainingError):
    """A plan or a profile is wrong; the message names every fault."""


class Method(StrEnum):
    """How a row's network comes about."""

    PROBE = "probe"
    """Linear models on frozen features."""

    FINETUNE = "finetune"
    """All weights are trained on the data set."""

    AMALGAMATE = "amalgamate"
    """A student is drawn to teachers while all are trained on the data set."""


class TeacherRow(Config):
    """One teacher of an amalgamation; fields as in `training.config.downstream.TeacherConfig`."""

    name: Name
    start: str
    match: Annotated[int, Field(ge=1, le=4)] | None = None
    match_logits: bool = False
    weight: NonNegativeFloat = 1.0
    trainable: bool = True
    detach: bool = False
    relative: bool = False


class Row(Config):
    """One row of the table: an initialisation and what is done with it."""

    title: str
    method: Method
    start: str = Field(
        IMAGENET, description="imagenet, scratch, default_model, a pre-training, or row:NAME"
    )
    teachers: tuple[TeacherRow, ...] = ()
    baseline: str | None = Field(None, description="Row it is tested against, not the plan's")

    @property
    def starts(self) -> tuple[str, ...]:
        """Where its networks start, the student first."""
        return (self.start, *(teacher.start for teacher in self.teachers))

    @model_validator(mode="after")
    def _teachers_amalgamate(self) -> Self:
        if bool(self.teachers) != (self.method is Method.AMALGAMATE):
            raise ValueError(
                f"'{self.title}': teachers belong to {Method.AMALGAMATE} rows, and only"
            )
        return self


class Data(Config):
    """One data set of the table, with its test split or its folds."""

    title: str
    dataset: str = Field(description="Canonical data set; `{fold}` stands for the fold's number")
    root: Path = Path("var/datasets")
    kind: LabelKind
    multi_at_least: Fraction | None = None
    folds: tuple[int, ...] = Field((), description="None: the data set's own test split")
    seeds: tuple[Seed, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _name_tells_folds_apart(self) -> Self:
        if bool(self.folds) != ("{fold}" in self.dataset):
            raise ValueError(f"dataset {self.dataset!r} has to hold {{fold}} where there are folds")
        return self


class Pretraining(Config):
    """A training that the rows start from; all data sets share its run."""

    preset: str
    root: Path = Path("var/datasets")
    settings: Settings = Field(default_factory=dict, description="Fields laid over the preset")

    @property
    def word(self) -> str:
        """The last word of its preset, which profiles know it by."""
        return self.preset.rpartition("/")[2]


class Plan(Config):
    """Rows times data sets times folds and seeds."""

    title: str
    baseline: str = Field("imagenet", description="The row that the others are tested against")
    finetune: str = Field("evidence/finetune", description="Preset of every fine-tuning")
    amalgamate: str = Field("evidence/amalgamate", description="Preset of every amalgamation")
    pretraining: dict[Name, Pretraining] = Field(default_factory=dict)
    data: dict[Name, Data] = Field(min_length=1)
    rows: dict[Name, Row] = Field(min_length=1)

    def against(self, baseline: str) -> Self:
        """The plan with another baseline; raises BadPlan where that is no row."""
        if baseline not in self.rows:
            raise BadPlan(f"no row {baseline} to test against; known: {', '.join(self.rows)}")
        return self.model_copy(update={"baseline": baseline})

    def baseline_of(self, row: str) -> str | None:
        """The row that a row is tested against; none for the plan's own baseline."""
        others = None if row == self.baseline else self.baseline
        return self.rows[row].baseline or others

    @model_validator(mode="after")
    def _starts_are_known(self) -> Self:
        known = {*WITHOUT_RUN, *self.pretraining}
        for name, row in self.rows.items():
            unknown = ", ".join(sorted({*row.starts} - known))
            if unknown:
                raise ValueError(
                    f"row {name} starts from {unknown}; known so far: {', '.join(sorted(known))}"
                )
            known.add(OF_ROW + name)
        for baseline in (self.baseline, *(row.baseline for row in self.rows.values())):
            if baseline is not None and baseline not in self.rows:
                raise ValueError(f"the baseline {baseline} is no row: {', '.join(self.rows)}")
        return self


class Profile(Config):
    """What a machine makes of a plan: backbone, sizes, epochs, the grid all rows are tuned on."""

    title: str
    backbone: BackboneConfig = Field(description="And the weights that `imagenet` stands for")
    candidates: dict[Name, Settings] = Field(min_length=1, description="By name; same for all rows")
    baseline_tunes: bool = Field(
        False, description="All trained rows take over what the baseline chose, cell by cell"
    )
    downstream: Settings = Field(default_factory=dict, description="For every labelled training")
    data: dict[Name, Settings] = Field(default_factory=dict, description="By data set, on top")
    pretraining: dict[Name, Settings] = Field(
        default_factory=dict, description="For every pre-training, by the last word of its preset"
    )
    tasks: dict[str, Settings] = Field(default_factory=dict, description="By pretext task")
    images_per_second: dict[str, PositiveFloat] = Field(
        default_factory=dict, description="By step or method, for the estimate of hours"
    )
    draws: PositiveInt = Field(5000, description="Of the bootstrap and of the permutation test")


def read_plan(name: str) -> Plan:
    """A plan by name, or from a YAML file; raises BadPlan."""
    return _read(Plan, name, PLANS)


def read_profile(name: str) -> Profile:
    """A profile by name, or from a YAML file; raises BadPlan."""
    return _read(Profile, name, PROFILES)


def _read(kind: type[C], name: str, shipped: Path) -> C:
    file = Path(name) if name.endswith(".yaml") else shipped / f"{name}.yaml"
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        if isinstance(content, Mapping):  # `x-` fields hold what several rows share
            content = {k: v for k, v in content.items() if not str(k).startswith("x-")}
        return kind.model_validate(content)
    except OSError as error:
        known = ", ".join(sorted(one.stem for one in shipped.glob("*.yaml")))
        raise BadPlan(f"{file} cannot be read; shipped are: {known}; or give a .yaml") from error
    except (yaml.YAMLError, ValidationError) as error:
        raise BadPlan(f"{file} is not a valid {kind.__name__.lower()}: {error}") from error
