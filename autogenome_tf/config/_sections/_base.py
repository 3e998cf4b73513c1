"""Types that the sections of a config share: frozen, strict, and with words for their errors."""

from typing import Annotated

import pydantic
from pydantic import Field

Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Names = Annotated[list[str], Field(min_length=1)]
Pair = Annotated[list[str], Field(min_length=2, max_length=2)]


def listed(value: str | list[str] | None) -> list[str]:
    """Return a config value that may be single, a list or left out, as a list.

    Args:
        value: A value, a list of values, or None.

    >>> listed("a.tsv"), listed(["a.tsv", "b.tsv"]), listed(None)
    (['a.tsv'], ['a.tsv', 'b.tsv'], [])
    """
    return [value] if isinstance(value, str) else [] if value is None else value


class Section(pydantic.BaseModel):
    """A part of the config: unknown keys are refused, values checked and frozen."""

    model_config = pydantic.ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False
    )
