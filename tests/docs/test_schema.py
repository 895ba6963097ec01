"""JSON schemas in words, on a model of every kind of field."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from sentiscope.reference.markdown import table
from sentiscope.reference.schema import Schemas


class Colour(StrEnum):
    """What it looks like."""

    RED = "red"
    BLUE = "blue"


class Wheel(BaseModel):
    """What it rolls on."""

    kind: Literal["wheel"] = "wheel"
    radius: float = 1.0


class Skid(BaseModel):
    """What it slides on."""

    kind: Literal["skid"] = "skid"


class Cart(BaseModel):
    """A cart."""

    name: Annotated[str, Field(max_length=9, pattern="^[a-z]+$")]
    seats: Annotated[int, Field(ge=1, lt=5)] | None = None
    colour: Colour = Colour.RED
    front: Wheel = Wheel(radius=2.0)
    rear: Wheel = Wheel()
    size: tuple[float, float] = (1.0, 2.0)
    below: Annotated[Wheel | Skid, Field(discriminator="kind")] = Skid()
    weights: dict[Colour, float] = Field(default_factory=dict, description="How heavy | each is")
    folder: Path = Path("here")
    parts: tuple[str, ...] = Field((), min_length=0, max_length=3)


SCHEMA = Cart.model_json_schema()
FIELDS: dict[str, Any] = SCHEMA["properties"]
SCHEMAS = Schemas(SCHEMA["$defs"])


@pytest.mark.parametrize(
    ("field", "kind", "limits", "default"),
    [
        ("name", "text", "length at most 9, matches `^[a-z]+$`", "none"),
        ("seats", "whole number or none", "at least 1, below 5", "none"),
        ("colour", "`red` `blue`", "", "`red`"),
        ("front", "[Wheel](#wheel)", "", '`{"radius": 2.0}`'),
        ("rear", "[Wheel](#wheel)", "", "its defaults"),
        ("size", "2 numbers", "", "`[1.0, 2.0]`"),
        ("below", "[Wheel](#wheel) or [Skid](#skid)", "", '`{"kind": "skid"}`'),
        ("weights", "number by `red` `blue`", "", "none"),
        ("folder", "path", "", "`here`"),
        ("parts", "list of text", "length at least 0, length at most 3", "`[]`"),
    ],
)
def test_field_is_told(field: str, kind: str, limits: str, default: str) -> None:
    schema = FIELDS[field]
    assert SCHEMAS.kind(schema) == kind
    assert SCHEMAS.limits(schema) == limits
    assert SCHEMAS.default(schema) == default


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("name", ""),
        ("colour", "What it looks like"),
        ("front", "What it rolls on"),
        ("below", "One of these kinds, told apart by `kind`"),
        ("weights", "How heavy | each is"),
    ],
)
def test_description_is_the_field_s_own_or_of_what_it_refers_to(field: str, said: str) -> None:
    assert SCHEMAS.description(FIELDS[field]) == said


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert table(("a",), [("b | c",)]).splitlines()[2] == "| b \\| c |"
