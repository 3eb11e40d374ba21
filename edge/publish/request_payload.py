"""``command/<name>`` and ``response/<name>``: what strangers may ask for, within which bounds, and the answer."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field
from pydantic import model_validator as check

from edge.publish.commands import (
    Acknowledge,
    BeginLesson,
    Command,
    EndLesson,
    GiveFeedback,
    Mark,
    PauseSensing,
    Ping,
    Reply,
    ResumeSensing,
    SetRule,
    Snooze,
)
from edge.publish.wire import LONGEST_LINE, Id, Line, Payload, PayloadError, parse
from edge.summary import Verdict

LARGEST_COMMAND = 4096
"""Bytes a command may have; the longest that can be right has under 2 KiB."""


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line, without control characters")
    return text


Name = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_printable)]
Label = Annotated[str, Field(max_length=100), AfterValidator(_printable)]
Note = Annotated[str, Field(max_length=200), AfterValidator(_printable)]
Minutes = Annotated[float, Field(ge=1)]
Threshold = Annotated[float, Field(ge=-1000, le=1000)]


class CommandPayload(Payload):
    """What all commands have in common."""

    schema_version: Literal[1] = 1

    id: Annotated[Id, AfterValidator(_printable)]
    """The transaction: new for each command, the same when it is sent again."""

    @abstractmethod
    def command(self) -> Command:
        """Return what is to be done."""


class BeginLessonPayload(CommandPayload):
    """``command/lesson_start``."""

    title: Label = ""
    group: Label = ""
    kind: Label = ""

    def command(self) -> BeginLesson:
        """Return what is to be done."""
        return BeginLesson(title=self.title, group=self.group, kind=self.kind)


class EndLessonPayload(CommandPayload):
    """``command/lesson_end``."""

    def command(self) -> EndLesson:
        """Return what is to be done."""
        return EndLesson()


class SnoozePayload(CommandPayload):
    """``command/snooze``."""

    minutes: Annotated[Minutes, Field(le=120)]

    rule: Name | None = None
    """``null``: all rules."""

    def command(self) -> Snooze:
        """Return what is to be done."""
        return Snooze(minutes=self.minutes, rule=self.rule)


class AcknowledgePayload(CommandPayload):
    """``command/acknowledge``."""

    alert: Id

    def command(self) -> Acknowledge:
        """Return what is to be done."""
        return Acknowledge(self.alert)


class FeedbackPayload(CommandPayload):
    """``command/feedback``."""

    alert: Id
    verdict: Literal["wrong", "seen"]

    def command(self) -> GiveFeedback:
        """Return what is to be done."""
        return GiveFeedback(self.alert, Verdict(self.verdict))


class MarkPayload(CommandPayload):
    """``command/mark``."""

    kind: Name
    text: Note = ""

    def command(self) -> Mark:
        """Return what is to be done."""
        return Mark(kind=self.kind, text=self.text)


class PausePayload(CommandPayload):
    """``command/pause``."""

    minutes: Annotated[Minutes, Field(le=240)] | None = None
    """``null``: until ``resume``."""

    def command(self) -> PauseSensing:
        """Return what is to be done."""
        return PauseSensing(self.minutes)


class ResumePayload(CommandPayload):
    """``command/resume``."""

    def command(self) -> ResumeSensing:
        """Return what is to be done."""
        return ResumeSensing()


class SetRulePayload(CommandPayload):
    """``command/set_rule``: at least one number; the others stay as they are."""

    name: Name
    raise_at: Threshold | None = None
    clear_at: Threshold | None = None
    hold_s: Annotated[float, Field(ge=0, le=3600)] | None = None

    def command(self) -> SetRule:
        """Return what is to be done."""
        return SetRule(name=self.name, raise_at=self.raise_at, clear_at=self.clear_at, hold_s=self.hold_s)

    @check(mode="after")
    def _changes_something(self) -> Self:
        if self.raise_at is None and self.clear_at is None and self.hold_s is None:
            raise ValueError("needs raise_at, clear_at or hold_s")
        return self


class PingPayload(CommandPayload):
    """``command/ping``."""

    def command(self) -> Ping:
        """Return what is to be done."""
        return Ping()


COMMANDS: Mapping[str, type[CommandPayload]] = {
    "lesson_start": BeginLessonPayload,
    "lesson_end": EndLessonPayload,
    "snooze": SnoozePayload,
    "acknowledge": AcknowledgePayload,
    "feedback": FeedbackPayload,
    "mark": MarkPayload,
    "pause": PausePayload,
    "resume": ResumePayload,
    "set_rule": SetRulePayload,
    "ping": PingPayload,
}
"""Each command's model by the last level of its topic."""


class _AnyCommandPayload(Payload):
    id: Annotated[Id, AfterValidator(_printable)]


class ResponsePayload(Payload):
    """``response/<name>``: what became of a command."""

    schema_version: Literal[1] = 1

    id: Id | None
    """The command's; ``null`` where it could not be read."""

    ok: bool

    error: Line | None
    """One line: why it was not done; ``null`` when it was."""

    @classmethod
    def of(cls, transaction: str | None, reply: Reply) -> Self:
        """Cut what is too long to one line."""
        error = None if reply.error is None else " ".join(reply.error.split())[:LONGEST_LINE]
        return cls(id=transaction, ok=error is None, error=error)

    @check(mode="after")
    def _error_or_ok(self) -> Self:
        if self.ok is not (self.error is None):
            raise ValueError("error must be null when ok, and only then")
        return self


@dataclass(frozen=True, slots=True)
class Request:
    """A command as it was read."""

    transaction: str
    command: Command


def read_request(name: str, data: bytes | bytearray) -> Request:
    """Read what came on ``command/<name>``.

    Raises:
        PayloadError: There is no such command, or this isn't one; one line that doesn't repeat what was sent.
    """
    kind = COMMANDS.get(name)
    if kind is None:
        raise PayloadError(f"there is no such command; there are {', '.join(COMMANDS)}")
    payload = parse(kind, data, largest=LARGEST_COMMAND)
    return Request(payload.id, payload.command())


def read_transaction(data: bytes | bytearray) -> str | None:
    """Return the id of a command that can't be used otherwise; ``None`` where even that can't be read."""
    try:
        return parse(_AnyCommandPayload, data, largest=LARGEST_COMMAND).id
    except PayloadError:
        return None
