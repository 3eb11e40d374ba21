"""What all messages have in common: JSON, one schema version, checked as it comes and as it goes.

Read by strangers and written by us, so checked both ways: fields that a reader doesn't know are skipped, fields that
are wrong are refused. ``null`` is "no evidence".
"""

from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, ValidationError

LARGEST = 64 * 1024
"""Bytes a message may have; ours are under 4 KiB, but for a full list of raised alerts."""

LONGEST_LINE = 1000
"""Characters a text may have."""


class PayloadError(ValueError):
    """Raised when bytes from the wire are not the message that their topic promises."""


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


Instant = Annotated[AwareDatetime, AfterValidator(lambda t: t.astimezone(UTC)), PlainSerializer(_iso, when_used="json")]
"""UTC, written ISO 8601 with milliseconds and ``Z``."""

Share = Annotated[float, Field(ge=0, le=1)]
Balance = Annotated[float, Field(ge=-1, le=1)]
Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0)]
Line = Annotated[str, Field(max_length=LONGEST_LINE)]
Id = Annotated[str, Field(min_length=1, max_length=64)]


class Payload(BaseModel):
    """What all messages have in common."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, allow_inf_nan=False)

    def to_json(self) -> bytes:
        """Write it as it goes over the wire."""
        return self.model_dump_json().encode()


PayloadT = TypeVar("PayloadT", bound=Payload)


def parse(kind: type[PayloadT], data: bytes | bytearray, *, largest: int = LARGEST) -> PayloadT:
    """Read a message of the *kind* its topic promises.

    Raises:
        PayloadError: It isn't one; the text is one line and doesn't repeat what was sent.
    """
    if len(data) > largest:
        raise PayloadError(f"{kind.__name__}: {len(data)} bytes, at most {largest} are read")
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "message"
        raise PayloadError(f"{kind.__name__}: {where[:100]}: {' '.join(first['msg'].split())[:200]}") from None


def rounded(value: float | None, digits: int) -> float | None:
    """Round what there is."""
    return None if value is None else round(value, digits)
