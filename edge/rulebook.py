"""Rules from TOML: checked, with one clear line for what can't be."""

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from edge.alerts.rules import Against, Direction, Rule, Special
from edge.checked import first_fault
from edge.errors import SettingsError
from edge.metric import Metric
from edge.role import Role
from edge.summary import Severity

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Threshold = Annotated[float, Field(allow_inf_nan=False)]
PerHour = Annotated[int, Field(ge=1, le=60)]

_RULE = Rule()
_METRIC_KEYS = ("direction", "against", "raise_at", "clear_at", "interval_beyond")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RuleSettings(_Section):
    """One `[[rules]]`."""

    name: Name = Field(_RULE.name, description="unique; it names the alert")
    role: Role = _RULE.role
    metric: Metric | Special = Field(_RULE.metric, description="what is watched")
    direction: Direction = _RULE.direction
    against: Against = Field(_RULE.against, description="a fixed value, or what is usual for the class")
    raise_at: Threshold = _RULE.raise_at
    clear_at: Threshold = _RULE.clear_at
    hold_s: Seconds = _RULE.hold_s
    clear_hold_s: Seconds | None = Field(_RULE.clear_hold_s, description="empty: as hold_s")
    cool_down_s: Seconds = _RULE.cool_down_s
    interval_beyond: Threshold | None = Field(_RULE.interval_beyond, description="shares of people only")
    severity: Severity = _RULE.severity
    message: str = Field(_RULE.message, max_length=300)

    @field_validator("metric", mode="before")
    @classmethod
    def _known_metric(cls, value: object) -> object:
        # A union of two enums would be refused twice, once for each.
        known = [*Metric, *Special]
        if value not in known:
            raise ValueError(f"must be one of {', '.join(known)}, got {value!r}")
        return value

    @model_validator(mode="after")
    def _makes_a_rule(self) -> "RuleSettings":
        special = isinstance(self.metric, Special)
        if special and (useless := [key for key in _METRIC_KEYS if key in self.model_fields_set]):
            raise ValueError(f"metric {self.metric.value!r} has no {' and no '.join(useless)}; leave it out")
        # The defaults are thresholds of the default rule, and would be nonsense for another metric.
        default = (self.metric, self.direction, self.against) == (_RULE.metric, _RULE.direction, _RULE.against)
        missing = [key for key in ("raise_at", "clear_at") if key not in self.model_fields_set]
        if missing and not special and not default:
            raise ValueError(f"metric {self.metric.value!r} needs {' and '.join(missing)}")
        self.rule()
        return self

    def rule(self) -> Rule:
        """Return the rule as the stage takes it."""
        return Rule(**self.model_dump())


class Rulebook(_Section):
    """A file of rules."""

    rules: tuple[RuleSettings, ...]
    alerts_per_hour: PerHour = Field(6, description="the rest is told in a digest")

    @model_validator(mode="after")
    def _rules_differ(self) -> "Rulebook":
        # Not a least length of the field, which pydantic reports besides every fault inside it.
        if not self.rules:
            raise ValueError("needs at least one [[rules]]")
        names = [rule.name for rule in self.rules]
        if len(set(names)) != len(names):
            raise ValueError(f"rules must have different names, got {', '.join(names)}")
        return self

    def as_rules(self) -> tuple[Rule, ...]:
        """Return the rules as the stage takes them."""
        return tuple(rule.rule() for rule in self.rules)


def read_rulebook(path: Path) -> Rulebook:
    """Read a file of rules; a whole settings file will do, of which only the rules are looked at.

    Raises:
        SettingsError: It is missing, not TOML, or says something that can't be; with the key's dotted path.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file of rules; docs/alerts.md shows one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: can't be read ({error})") from error
    return _check(text, where=str(path))


def read_rules(path: Path) -> tuple[Rule, ...]:
    """Return the rules of a file.

    Raises:
        SettingsError: As :func:`read_rulebook` says.
    """
    return read_rulebook(path).as_rules()


@cache
def default_rulebook() -> Rulebook:
    """Return what a box begins with: ``edge/rules.toml``."""
    return _check(files("edge").joinpath("rules.toml").read_text("utf-8"), where="edge/rules.toml")


def default_rules() -> tuple[Rule, ...]:
    """Return the rules a box begins with."""
    return default_rulebook().as_rules()


def _check(text: str, *, where: str) -> Rulebook:
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{where}: not TOML: {error}") from error
    if "sources" in values:
        values = {key: value for key, value in values.items() if key in Rulebook.model_fields}
    try:
        return Rulebook.model_validate(values)
    except ValidationError as error:
        raise first_fault(error, where=where) from None
