"""The query of a request for predictions, and what it comes to for one model."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from app.errors import Fault, InvalidOption
from models.labels import LabelKind, UnknownLabel
from models.manifest import LabelThreshold, Manifest, Output


class Explain(StrEnum):
    """What explains an answer."""

    NONE = "none"
    HEATMAP = "heatmap"


class Options(BaseModel):
    """Query options of `POST /v1/predictions`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None,
        description="`name`, `name@version` or `name@alias`; a bare name means its alias "
        "`production`. Default: the service's model, `default` unless the operator set another",
        examples=["default"],
    )
    outputs: str | None = Field(
        None,
        description="Comma list of `single`, `multi`, `distribution`; default: all of the model's",
        examples=["single,distribution"],
    )
    top_k: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Keep this many of each output's sorted scores", examples=[3]
    )
    coverage: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None,
        description="Add to `single` a set of labels that holds the right one for this share of "
        "images; the model says for which shares it has one",
        examples=[0.9],
    )
    explain: Explain = Field(Explain.NONE, description="`heatmap` adds where the evidence lies")
    explain_output: LabelKind | None = Field(
        None, description="Output to explain; default: `single`, or the first of a model without"
    )
    explain_label: str | None = Field(
        None, description="Label to explain; default: the one with the highest score"
    )

    @field_validator("outputs")
    @classmethod
    def _outputs_are_kinds(cls, text: str | None) -> str | None:
        known = [kind.value for kind in LabelKind]
        wrong = [name for name in (text or known[0]).split(",") if name.strip() not in known]
        if text == "" or wrong:
            raise ValueError(f"unknown output {','.join(wrong)!r}; known: {', '.join(known)}")
        return text

    @model_validator(mode="after")
    def _explained_things_need_explain(self) -> Self:
        named = self.explain_output is not None or self.explain_label is not None
        if named and self.explain is Explain.NONE:
            raise ValueError("explain_output and explain_label need explain=heatmap")
        return self


@dataclass(frozen=True, slots=True)
class Explained:
    """The output to explain, and the label; without one the highest score's."""

    output: Output
    label: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is computed for each image."""

    outputs: tuple[Output, ...]
    top_k: int | None
    explained: Explained | None
    label_set: LabelThreshold | None = None
    """Of the output `single`."""

    @property
    def arrays(self) -> tuple[str, ...]:
        """Names of the graph's outputs that are needed."""
        names = [output.scores_name for output in self.outputs]
        if self.explained is not None:
            names += [self.explained.output.scores_name, self.explained.output.map_name]
        return tuple(dict.fromkeys(names))


def plan(options: Options, manifest: Manifest) -> Plan:
    """What `options` ask of the model of `manifest`; raises InvalidOption."""
    outputs = manifest.outputs
    if options.outputs is not None:
        kinds = [LabelKind(name.strip()) for name in options.outputs.split(",")]
        outputs = tuple(_output(manifest, kind, option="outputs") for kind in dict.fromkeys(kinds))
    explained = _explained(options, manifest) if options.explain is Explain.HEATMAP else None
    label_set = None if options.coverage is None else _label_set(outputs, options.coverage)
    return Plan(outputs, options.top_k, explained, label_set)


def _label_set(outputs: tuple[Output, ...], coverage: float) -> LabelThreshold:
    single = next((output for output in outputs if output.kind is LabelKind.SINGLE), None)
    known = single.label_sets if single else ()
    for each in known:
        if each.coverage == coverage:
            return each
    there = ", ".join(f"{each.coverage:g}" for each in known) or "none"
    raise _invalid(
        "coverage", f"there is no label set of coverage {coverage:g}; there are: {there}"
    )


def _explained(options: Options, manifest: Manifest) -> Explained:
    if options.explain_output is not None:
        output = _output(manifest, options.explain_output, option="explain_output")
    else:
        output = manifest.output(LabelKind.SINGLE) or manifest.outputs[0]
    if options.explain_label is None:
        return Explained(output, None)
    try:
        return Explained(output, output.labels.index(options.explain_label))
    except UnknownLabel as error:
        raise _invalid("explain_label", str(error)) from error


def _output(manifest: Manifest, kind: LabelKind, *, option: str) -> Output:
    output = manifest.output(kind)
    if output is None:
        there = ", ".join(output.kind for output in manifest.outputs)
        raise _invalid(option, f"model {manifest.name!r} has no output {kind}; it has: {there}")
    return output


def _invalid(option: str, message: str) -> InvalidOption:
    return InvalidOption(f"{option}: {message}", faults=[Fault(("query", option), message)])
