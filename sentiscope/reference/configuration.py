"""Page: every field of every recipe's configuration."""

from sentiscope.reference.markdown import code, one_line, page, section, table
from sentiscope.reference.schema import Schema, Schemas
from training.config.presets import presets
from worker.jobs import JOB_CONFIG

_HEADER = ("field", "may be", "default", "limits", "what")
_INTRODUCTION = """\
A recipe is told by one YAML file, or by the `config` of a job; both have these fields and no others. What has no default must be given.
[How to write one](../training.md), [how jobs take it](../api.md#submitting)."""


def configuration() -> str:
    """Recipes first, in the order of the schema, then what they are made of."""
    schema = JOB_CONFIG.json_schema()
    schemas = Schemas(schema["$defs"])
    recipes = [each["$ref"].rpartition("/")[2] for each in schema["oneOf"]]
    rest = [
        name
        for name, each in schemas.defined.items()
        if "properties" in each and name not in recipes
    ]
    return page(
        "Configurations",
        _INTRODUCTION,
        *(_section(name, schemas) for name in [*recipes, *rest]),
        section(
            "Presets",
            "The configurations that come with the code:",
            "\n".join(f"- {code(name)}" for name in presets()),
        ),
    )


def _section(name: str, schemas: Schemas) -> str:
    found = schemas.defined[name]
    required = found.get("required", ())
    rows = [
        _row(field, each, schemas, is_required=field in required)
        for field, each in found["properties"].items()
    ]
    return section(name, one_line(found["description"]), table(_HEADER, rows))


def _row(field: str, schema: Schema, schemas: Schemas, *, is_required: bool) -> tuple[str, ...]:
    return (
        code(field),
        schemas.kind(schema),
        "must be given" if is_required else schemas.default(schema),
        schemas.limits(schema),
        schemas.description(schema),
    )
