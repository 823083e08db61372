"""What every part of the scenario file shares: closed, immutable, finite; common ranges."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Price = Annotated[float, Field(ge=-10, le=10)]


class Section(BaseModel):
    """A part of the scenario: closed, immutable, finite."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, strict=False, validate_default=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse `true`, "2" and 0123 for a number: pydantic would take 1, 2 and 123."""
        annotation = cls.model_fields[str(info.field_name)].annotation
        kinds = {annotation, *get_args(annotation)}
        if kinds & {int, float} and isinstance(value, bool | str):
            raise ValueError("expected a number, without quotes and leading zeros")
        return value
