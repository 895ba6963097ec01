"""What every configuration is made of: frozen, and an unknown field is an error."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from models.manifest import ALIAS_PATTERN

Fraction = Annotated[float, Field(ge=0, le=1)]
PositiveFloat = Annotated[float, Field(gt=0)]
NonNegativeFloat = Annotated[float, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, lt=2**31, description="Seed of everything random")]
Alias = Annotated[str, Field(pattern=ALIAS_PATTERN)]
NAME_PATTERN = r"^[a-z0-9][a-z0-9_.-]{0,63}$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]


class Config(BaseModel):
    """A part of what a recipe is told."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
