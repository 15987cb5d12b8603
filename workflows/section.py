"""What every section of the config file has in common."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, model_validator


class Section(BaseModel):
    """Strict, closed and frozen; a rejected value is never quoted in an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        hide_input_in_errors=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _tuples(cls, data: object) -> object:
        """TOML gives lists where frozen values hold tuples."""
        if not isinstance(data, Mapping):
            return data
        return {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
