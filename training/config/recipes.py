"""Every recipe's configuration: the YAML file's schema, a job's payload, a run's config.json."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from training.config.downstream import AmalgamateConfig, FinetuneConfig
from training.config.importing import ImportConfig
from training.config.pretraining import PretrainConfig
from training.config.publishing import EvaluateConfig, ExportConfig

RecipeConfig = (
    PretrainConfig
    | AmalgamateConfig
    | FinetuneConfig
    | EvaluateConfig
    | ExportConfig
    | ImportConfig
)
RECIPE_CONFIG: TypeAdapter[RecipeConfig] = TypeAdapter(
    Annotated[RecipeConfig, Field(discriminator="recipe")]
)

_HOW_IMAGES_ARE_READ = {"compute": {"loader_workers", "image_cache_gib"}}


def same_figures(one: RecipeConfig, another: RecipeConfig) -> bool:
    """Whether both make the same figures: they may differ in how images are read."""
    first, second = (each.model_dump(exclude=_HOW_IMAGES_ARE_READ) for each in (one, another))
    return first == second
