"""The kinds of value that a profile's keys hold, each with its unit, its text and its JSON Schema."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import WithDefaultSchema

from simlab.profile import units


class Table(BaseModel):
    """A TOML table: no unknown keys, no silent conversions, no changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=False)

    @classmethod
    def keys(cls) -> list[str]:
        """Return the keys that the table may hold, as they are written in TOML."""
        return [field.alias or name for name, field in cls.model_fields.items()]


class TomlSchema(GenerateJsonSchema):
    """A JSON Schema whose defaults are as TOML has them, with units: editors write them into a profile."""

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        """Return the schema of a key that has a default."""
        json_schema = super().default_schema(schema)
        inner: Any = schema
        while "serialization" not in inner and "schema" in inner:  # below a key's validators
            inner = inner["schema"]
        to_text = inner.get("serialization", {}).get("function")
        if to_text is not None and json_schema.get("default") is not None:
            json_schema["default"] = to_text(schema["default"])
        return json_schema


def _schema_of(pattern: str) -> WithJsonSchema:
    zero = {"const": 0}
    return WithJsonSchema({"anyOf": [{"type": "string", "pattern": pattern}, zero]})


def _above_zero_s(value: object) -> float:
    duration_s = units.parse_duration_s(value)
    if duration_s <= 0:
        raise ValueError("want more than 0")
    return duration_s


def listed(value: Any) -> Any:
    """Turn a TOML array into a tuple, so that what holds it is hashable."""
    return tuple(value) if isinstance(value, list) else value


Duration = Annotated[
    float,
    BeforeValidator(units.parse_duration_s),
    PlainSerializer(units.duration_text),
    _schema_of(units.DURATION_PATTERN),
]
PositiveDuration = Annotated[
    float,
    BeforeValidator(_above_zero_s),
    PlainSerializer(units.duration_text),
    WithJsonSchema({"type": "string", "pattern": units.DURATION_PATTERN}),
]
Rate = Annotated[
    float,
    BeforeValidator(units.parse_rate_bytes_per_s),
    PlainSerializer(units.rate_text),
    WithJsonSchema({"type": "string", "pattern": units.RATE_PATTERN}),
]
Size = Annotated[
    int,
    BeforeValidator(units.parse_size_bytes),
    PlainSerializer(units.size_text),
    _schema_of(units.SIZE_PATTERN),
]
Chance = Annotated[
    float,
    BeforeValidator(units.parse_chance),
    PlainSerializer(units.chance_text),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": units.CHANCE_PATTERN},
                {"type": "number", "minimum": 0, "maximum": 1},
            ]
        }
    ),
]


def tag_of(value: dict[str, Any], key: str) -> str | None:
    """Return the tag of a table in a union of tables, told apart by ``key``; None if it has no such key.

    Tags begin with ``#``, which no bare TOML key does, so they can be told from keys in an error's path.
    """
    if key not in value:
        return None
    return f"#{value[key]}" if isinstance(value[key], str) else "#"


def model(value: Any) -> str | None:
    """Tell which of the shapes of a setting a value has: text, or a table with a model."""
    return tag_of(value, "model") if isinstance(value, dict) else "#text"
