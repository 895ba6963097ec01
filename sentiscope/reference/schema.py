"""JSON schemas in words: what may stand in a field, within which limits, and what stands there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sentiscope.reference.markdown import code, one_line

Schema = Mapping[str, Any]
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "null": "none",
}
_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "minLength": "length at least {}",
    "maxLength": "length at most {}",
    "minItems": "length at least {}",
    "maxItems": "length at most {}",
    "pattern": "matches `{}`",
}


@dataclass(frozen=True, slots=True)
class Schemas:
    """Definitions that schemas may refer to by name."""

    defined: Mapping[str, Schema]

    def resolved(self, schema: Schema) -> tuple[str | None, Schema]:
        """What a reference means, and its name."""
        if "$ref" not in schema:
            return None, schema
        name = schema["$ref"].rpartition("/")[2]
        return name, self.defined[name]

    def kind(self, schema: Schema) -> str:
        """What may stand there; a configuration is a link to its own section."""
        name, found = self.resolved(schema)
        if choices := found.get("oneOf") or found.get("anyOf"):
            return " or ".join(map(self.kind, choices))
        if "const" in found:
            return code(found["const"])
        if "enum" in found:
            return " ".join(map(code, found["enum"]))
        if name and "properties" in found:
            return f"[{name}](#{name.lower()})"
        return self._plain(found)

    def limits(self, schema: Schema) -> str:
        """What more is demanded; a tuple's length is told by its kind."""
        found = self.resolved(schema)[1]
        parts = [each for each in found.get("anyOf", [found]) if "prefixItems" not in each]
        return ", ".join(
            text.format(each[key]) for each in parts for key, text in _LIMITS.items() if key in each
        )

    def default(self, schema: Schema) -> str:
        """What stands there unless it is given: of a configuration, what is not its own default."""
        value = schema.get("default")
        if value is None:
            return "none"
        if isinstance(value, Mapping):
            own = self._own_defaults(schema, value)
            value = {key: each for key, each in value.items() if own.get(key) != each}
            return code(json.dumps(value)) if value else "its defaults"
        return code(value if isinstance(value, str) else json.dumps(value))

    def description(self, schema: Schema) -> str:
        """What it is for: its own words, else those of what it refers to."""
        if "const" in schema:
            return "Says which kind this is"
        if said := schema.get("description"):
            return one_line(said)
        for each in (schema, schema.get("items", {}), *schema.get("anyOf", ())):
            if (found := self.resolved(each)[1]) is not each:
                return one_line(found.get("description")).removesuffix(".")
        told_apart = schema.get("discriminator", {}).get("propertyName")
        return f"One of these kinds, told apart by `{told_apart}`" if told_apart else ""

    def _plain(self, found: Schema) -> str:
        if "prefixItems" in found:
            return f"{len(found['prefixItems'])} numbers"
        if found.get("type") == "array":
            return f"list of {self.kind(found['items'])}"
        if found.get("type") == "object":
            return (
                f"{self.kind(found['additionalProperties'])} by {self.kind(found['propertyNames'])}"
            )
        if "path" in str(found.get("format")):
            return "path"
        return _TYPES[found["type"]]

    def _own_defaults(self, schema: Schema, value: Mapping[str, Any]) -> dict[str, Any]:
        """Of several kinds, what tells them apart is no default: it is always said."""
        is_choice = "oneOf" in schema
        for each in (schema, *schema.get("oneOf", ()), *schema.get("anyOf", ())):
            properties = self.resolved(each)[1].get("properties", {})
            if value.keys() <= properties.keys():
                return {
                    key: field["default"]
                    for key, field in properties.items()
                    if "default" in field and not (is_choice and "const" in field)
                }
        return {}
