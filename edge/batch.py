"""Many recordings: what belongs to which lesson, several at a time, and going on after a kill.

A recording is named as ``[ROLE=]PATH[@OFFSET]``: ``teacher=desk.mp4@2.5`` shows the teacher and began 2.5 s after the
lesson. Folders and patterns stand for the recordings in them.
"""

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from edge.errors import EdgeError, SettingsError, SourceMissingError, StoreError
from edge.role import Role

ENDINGS = frozenset(
    {".avi", ".m4a", ".mkv", ".mov", ".mp4", ".mts", ".ts", ".webm", ".flac", ".mp3", ".ogg", ".opus", ".wav"}
)
"""What counts as a recording inside a folder."""

SIMULATED = "simulated:"
"""In place of a file's name, followed by a lesson's name."""
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Part:
    """One recording of a lesson."""

    path: str
    """A file, or `simulated:LESSON`."""

    role: Role

    offset_s: float = 0.0
    """Seconds after the lesson's start at which it begins."""


@dataclass(frozen=True, slots=True)
class Job:
    """One lesson: recordings that are analysed together."""

    name: str
    parts: tuple[Part, ...]

    @property
    def fingerprint(self) -> list[dict[str, Any]]:
        """What its inputs are, so that a result can be told to be theirs: path, role, offset, size and change time."""
        known = []
        for part in self.parts:
            one: dict[str, Any] = {"path": part.path, "role": part.role.value, "offset_s": part.offset_s}
            with suppress(OSError):
                state = Path(part.path).stat()
                one |= {"bytes": state.st_size, "modified_ns": state.st_mtime_ns}
            known.append(one)
        return known


def plan(arguments: Sequence[str], *, role: Role, together: bool) -> list[Job]:
    """Turn a command line's arguments into lessons.

    Args:
        arguments: Recordings, folders and patterns.
        role: Whom recordings show that do not say it.
        together: Whether all of them are one lesson, or each is its own.

    Raises:
        SourceMissingError: A folder or a pattern holds no recording.
        SettingsError: An offset is not a number of seconds.
    """
    parts = [part for argument in arguments for part in _parts(argument, role)]
    if together:
        return [Job(_name(parts[0]), tuple(parts))]
    names = [_name(part) for part in parts]
    # Two folders may hold files of one name.
    return [
        Job(name if names.count(name) == 1 else part.path, (part,)) for name, part in zip(names, parts, strict=True)
    ]


def _parts(argument: str, role: Role) -> Iterator[Part]:
    named, equals, rest = argument.partition("=")
    if equals and named in set(Role):
        role, argument = Role(named), rest
    if argument.startswith(SIMULATED):
        yield Part(argument, role)
        return
    offset_s = 0.0
    path, at, offset = argument.rpartition("@")
    # A path may hold an @ of its own.
    if at and not Path(argument).exists():
        try:
            argument, offset_s = path, float(offset)
        except ValueError:
            raise SettingsError(f"{argument}: {offset!r} is no offset in seconds, as in lesson.mp4@2.5") from None
    for found in _files(argument):
        yield Part(found, role, offset_s)


def _files(argument: str) -> list[str]:
    if Path(argument).is_dir():
        found = [str(path) for path in sorted(Path(argument).iterdir()) if path.suffix.lower() in ENDINGS]
        if not found:
            raise SourceMissingError(f"{argument}: no recording in this folder; looked for {' '.join(sorted(ENDINGS))}")
        return found
    if has_magic(argument) and not Path(argument).exists():
        found = sorted(glob(argument))  # noqa: PTH207 - Path.glob takes no absolute patterns
        if not found:
            raise SourceMissingError(f"{argument}: no file fits this pattern")
        return found
    return [argument]


def _name(part: Part) -> str:
    return part.path if part.path.startswith(SIMULATED) else Path(part.path).name


Work = Callable[[Job, Callable[[float], None]], Any]
"""Analyses one lesson, telling the seconds of it that are done; called in another process, so a module's function."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one lesson."""

    job: Job
    result: Any
    """What the work returned; ``None`` after an error."""
    error: str | None
    """What went wrong, in one line."""


def run_all(jobs: Sequence[Job], work: Work, *, processes: int, progress: Callable[[float], None]) -> Iterator[Outcome]:
    """Work through lessons, several at a time; yield each in the order of *jobs*.

    A lesson that fails stops no other.

    Args:
        jobs: The lessons.
        work: What to do with one.
        processes: How many at a time.
        progress: Told the seconds done of all lessons together.
    """
    if processes <= 1 or len(jobs) <= 1:
        done = _Sum(progress)
        for job in jobs:
            yield _guarded(work, job, done.tell)
            done.next()
        return
    # Forking would copy interpreters' threads.
    context = multiprocessing.get_context("spawn")
    reached_s = context.Array("d", len(jobs), lock=False)
    with ProcessPoolExecutor(
        min(processes, len(jobs)), mp_context=context, initializer=_share, initargs=(reached_s,)
    ) as pool:
        waiting = [pool.submit(_in_process, work, job, n) for n, job in enumerate(jobs)]
        try:
            for future in waiting:
                while not future.done():
                    wait([future], timeout=_POLL_S, return_when=FIRST_COMPLETED)
                    progress(sum(reached_s))
                yield future.result()
        finally:
            for future in waiting:
                future.cancel()


class _Sum:
    """Adds up the seconds of lessons that are worked through one after the other."""

    def __init__(self, progress: Callable[[float], None]) -> None:
        self._progress, self._before_s, self._now_s = progress, 0.0, 0.0

    def tell(self, seconds: float) -> None:
        self._now_s = seconds
        self._progress(self._before_s + seconds)

    def next(self) -> None:
        self._before_s, self._now_s = self._before_s + self._now_s, 0.0


def _guarded(work: Work, job: Job, tell: Callable[[float], None]) -> Outcome:
    try:
        return Outcome(job, work(job, tell), None)
    except EdgeError as error:
        return Outcome(job, None, str(error))


_reached: Any = None


def _share(reached_s: Any) -> None:  # noqa: ANN401 - a shared array has no public type
    global _reached  # noqa: PLW0603 - the way into a worker process
    _reached = reached_s


def _in_process(work: Work, job: Job, number: int) -> Outcome:
    def tell(seconds: float) -> None:
        _reached[number] = seconds

    return _guarded(work, job, tell)


class Results:
    """One JSON file a lesson in a folder, so that a run that was killed goes on where it was.

    Args:
        folder: Made if missing.

    Raises:
        StoreError: It can't be made.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder}: can't be made ({error.strerror}); name another folder") from error
        self._folder = folder

    def path(self, job: Job) -> Path:
        """Return where a lesson's result lies."""
        return self._folder / f"{job.name.replace(os.sep, '_').replace(':', '_')}.json"

    def done(self, job: Job, **settings: object) -> dict[str, Any] | None:
        """Return a lesson's result of an earlier run over the same inputs and settings, if there is one."""
        try:
            line = json.loads(self.path(job).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        same = isinstance(line, dict) and line.get("inputs") == job.fingerprint and line.get("settings") == settings
        return line if same else None

    def keep(self, job: Job, line: dict[str, Any], **settings: object) -> None:
        """Write a lesson's result, whole or not at all.

        Raises:
            StoreError: It can't be written.
        """
        target = self.path(job)
        part = target.with_suffix(".part")
        try:
            part.write_text(json.dumps({**line, "inputs": job.fingerprint, "settings": settings}), "utf-8")
            part.replace(target)
        except OSError as error:
            raise StoreError(f"{target}: can't be written ({error.strerror})") from error
