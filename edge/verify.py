"""Runs the service under a trace of its system calls and looks into everything that it writes and sends.

The service is the real one, in a process of its own. It only gets a database of its own, so that the lessons of a
running box are left alone. Without settings it watches a class that nobody is in, whose pixels and samples are known.
"""

import json
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from edge.capture.lesson import read_lesson
from edge.capture.simulated import SimulatedClassroom
from edge.capture.simulated_voice import LessonSound
from edge.clock import utc_now
from edge.config import Settings, SourceKind, SourceSettings, read_settings
from edge.errors import EdgeError, SourceMissingError
from edge.media import SAMPLE_RATE
from edge.privacy.media_traces import KnownMedia
from edge.privacy.messages import NotOursError, check_stored, mqtt_messages
from edge.privacy.syscalls import OPTIONS, Deed, Event, read_log
from edge.privacy.verdict import Allowed, Check, amounts, judge, make_check, to_broker, written_to
from edge.publish.embedded_broker import EmbeddedBroker
from edge.summary import SourceState

LEAST_S = 10.0
"""Seconds that a trace lasts at least: some windows must have closed."""

_START_S = 120.0
_END_S = 30.0
_TICK_S = 0.2
_PICTURES = 2
_X11 = "/tmp/.X11-unix/"  # noqa: S108 - where it listens

_SETTINGS = """\
[privacy]
mode = "emotion"               # so that the emotion models are traced as well; nobody in this class is real
jurisdiction = "CH"
purpose = "research"
responsible = "edge privacy verify"
decided_on = {today}
[mqtt]
port = {port}
[[sources]]
name = "class"
kind = "simulated"
role = "students"
[[sources]]
name = "teacher"
kind = "simulated"
role = "teacher"
"""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was looked into, and what was found."""

    seconds: float
    """How long the service ran."""

    simulated: bool
    """Whether all sources were simulated, so that their pixels and samples could be looked for."""

    checks: tuple[Check, ...]

    amounts: tuple[tuple[str, int], ...]
    """Bytes written or sent, by target, the most first."""

    programs: tuple[str, ...]
    """Other programs that it ran; they were traced as well."""

    notes: tuple[str, ...]
    """What a trace of the service can't settle."""

    @property
    def proved(self) -> bool:
        """Whether all checks are good."""
        return all(check.ok for check in self.checks)

    @property
    def fault(self) -> str | None:
        """The first fault in one line, naming the file or the socket; ``None`` when proved."""
        return next((f"{check.name}: {check.detail}" for check in self.checks if not check.ok), None)


def verify(config: Path | None, seconds: float, *, command: Sequence[str] | None = None) -> Verification:
    """Run the service for *seconds* and judge what it did.

    Args:
        config: Settings to run with; ``None`` simulates a class, with a broker of its own.
        seconds: How long, once it has started; 10 at least.
        command: What to run in place of `edge run`; the settings' path is added to it.

    Raises:
        SettingsError: The settings can't be used.
        SourceMissingError: strace is not there, or may not trace.
        EdgeError: The service did not start.
    """
    if seconds < LEAST_S:
        raise ValueError(f"seconds must be at least {LEAST_S:.0f}, got {seconds}")
    strace = _find_strace()
    with tempfile.TemporaryDirectory(prefix="edge-verify-") as name, _settings_for(config, Path(name)) as path:
        folder = Path(name)
        settings = read_settings(path)
        state = folder / "edge.db"
        traced = (strace, "-D", "--seccomp-bpf", *OPTIONS, "-o", str(folder / "trace"))
        run = command or (sys.executable, "-m", "edge", "run", "--config")
        ran = _run((*traced, *run, str(path)), folder, state, seconds)
        events = read_log(folder.glob("trace.*"))
        return _judge(events, settings, state, ran)


@dataclass(frozen=True, slots=True)
class _Ran:
    """How the run went."""

    seconds: float
    code: int
    last_words: str


def _judge(events: list[Event], settings: Settings, state: Path, ran: _Ran) -> Verification:
    allowed = _allowed(settings, state)
    simulated = all(source.kind is SourceKind.SIMULATED for source in settings.sources)
    known = KnownMedia(_known(settings.sources, ran.seconds)) if simulated else None
    checks = (
        *judge(events, allowed, known),
        _stored(state, _outbox(state)),
        _worked(events, allowed, state, ran),
    )
    programs = dict.fromkeys(event.target for event in events if event.deed is Deed.RUN)
    return Verification(
        seconds=ran.seconds,
        simulated=simulated,
        checks=checks,
        amounts=tuple(amounts(events).most_common()),
        programs=tuple(programs)[1:],
        notes=tuple(_notes(simulated=simulated, tls=allowed.tls)),
    )


def _find_strace() -> str:
    strace = shutil.which("strace")
    if strace is None:
        raise SourceMissingError("strace: not installed, and nothing can be proved without it: apt install strace")
    tried = subprocess.run([strace, "-o", os.devnull, "true"], capture_output=True, text=True, check=False)  # noqa: S603
    if tried.returncode:
        why = tried.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise SourceMissingError(f"{strace}: may not trace here ({why[0]}); a container needs --cap-add SYS_PTRACE")
    return strace


@contextmanager
def _settings_for(config: Path | None, folder: Path) -> Iterator[Path]:
    """Yield the settings' path; without any, of a simulated class and a broker that runs meanwhile."""
    if config is not None:
        yield config.resolve()
        return
    broker = EmbeddedBroker(port=0, websocket_port=0)
    broker.start()
    try:
        path = folder / "edge.toml"
        path.write_text(_SETTINGS.format(port=broker.port, today=utc_now().date()), "utf-8")
        yield path
    finally:
        broker.stop()


def _run(command: Sequence[str], folder: Path, state: Path, seconds: float) -> _Ran:
    """Run the traced service, and tell it to stop once it has run for *seconds* since it said that it is ready."""
    own = {"EDGE_STATE": str(state), "NOTIFY_SOCKET": str(folder / "ready"), "PYTHONDONTWRITEBYTECODE": "1"}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(own["NOTIFY_SOCKET"])
        notices.setblocking(False)  # noqa: FBT003 - socket's own signature
        # With -D this process is the service, and strace its child's child: a signal reaches the service itself.
        service = subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | own,
        )
        try:
            begun, ended, said = _attend(service, notices, seconds)
        finally:
            service.kill()
            service.communicate()
    words = said.decode(errors="replace").strip().splitlines()
    last = words[-1] if words else "without a word"
    if begun is None:
        raise EdgeError(f"the service did not start: {last}")
    return _Ran(ended - begun, service.returncode, last)


def _attend(
    service: subprocess.Popen[bytes], notices: socket.socket, seconds: float
) -> tuple[float | None, float, bytes]:
    """Return when the service was ready and when it was told to stop, monotonic seconds, and what it said."""
    begun: float | None = None
    started = time.monotonic()
    while True:
        try:
            # Reads what it says meanwhile, so that it never waits for us; returns at its end and the trace's.
            said, _ = service.communicate(timeout=_TICK_S)
        except subprocess.TimeoutExpired:
            now = time.monotonic()
            if _ready(notices) and begun is None:
                begun = now
            if now - (begun or started) < (_START_S if begun is None else seconds):
                continue
            service.terminate()
            try:
                said, _ = service.communicate(timeout=_END_S)
            except subprocess.TimeoutExpired:
                raise EdgeError(f"the service did not end within {_END_S:.0f} s of SIGTERM") from None
            return begun, now, said
        return (started if begun is None and _ready(notices) else begun), time.monotonic(), said


def _ready(notices: socket.socket) -> bool:
    """Return whether the service has said so since the last time (sd_notify(3)).

    Everything is read, or the service would wait once some ten notices are not.
    """
    said = []
    try:
        while True:
            said.append(notices.recv(4096))
    except BlockingIOError:
        return b"READY=1" in said


def _outbox(state: Path) -> Path:
    return state.with_name(f"{state.stem}-outbox.db")


def _allowed(settings: Settings, state: Path) -> Allowed:
    mqtt = settings.mqtt
    media = {host for source in settings.sources if source.url and (host := urlsplit(source.url).hostname)}
    watching = any(source.kind is SourceKind.SCREEN for source in settings.sources)
    return Allowed(
        files=frozenset(f"{path}{end}" for path in (state, _outbox(state)) for end in ("", "-wal", "-shm", "-journal")),
        broker=frozenset((address, mqtt.port) for address in _addresses(mqtt.host)),
        tls=mqtt.tls_ca is not None,
        media_hosts=frozenset(address for host in media for address in _addresses(host)),
        name_servers=frozenset(_name_servers()),
        sound=any(source.kind is SourceKind.MICROPHONE or source.loopback for source in settings.sources),
        sockets=(str(state.with_name("ready")), *((_X11,) if watching else ())),
    )


def _addresses(host: str) -> set[str]:
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(host, None)}
    except OSError:
        return set()


def _name_servers() -> Iterator[str]:
    try:
        lines = Path("/etc/resolv.conf").read_text("utf-8").splitlines()
    except OSError:
        return
    yield from (words[1] for line in lines if len(words := line.split()) > 1 and words[0] == "nameserver")


def _known(sources: Sequence[SourceSettings], seconds: float) -> Iterator[npt.NDArray[np.generic]]:
    """Yield the pixels and samples that simulated sources deliver, in the formats they may be handed on in."""
    for source in sources:
        lesson = read_lesson(source.lesson)
        classroom = SimulatedClassroom(name=source.name, role=source.role, lesson=lesson, fps=source.fps)
        # Most of a picture stands still, so a few hold what all the others hold.
        for at_s in np.linspace(0, seconds, _PICTURES):
            pixels = classroom.picture(round(at_s * source.fps) / source.fps)
            yield from (pixels, pixels[..., ::-1], pixels.mean(axis=2).astype(np.uint8))
        samples = LessonSound(lesson, source.role, seed=0).samples(0, round((seconds + 1) * SAMPLE_RATE))
        yield from (samples, np.round(samples * 32767).astype(np.int16), (samples * 32768).astype(np.int16))


def _stored(*databases: Path) -> Check:
    """Read every value that the databases hold."""
    faults: list[str] = []
    values = largest = 0
    for path in databases:
        if not path.exists():
            continue
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            for table in tables:
                for row in db.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a name that the file itself gave
                    values += len(row)
                    largest = max(largest, *(len(value) for value in row if isinstance(value, bytes | str)), 0)
                    faults += _too_much(f"{path.name}, table {table}", row)
    return make_check("stored values", faults, f"{values} values, the longest {largest} bytes or characters")


def _too_much(where: str, row: Sequence[object]) -> Iterator[str]:
    for value in row:
        try:
            check_stored(where, value)
        except NotOursError as error:
            yield str(error)


def _worked(events: Sequence[Event], allowed: Allowed, state: Path, ran: _Ran) -> Check:
    """Check that there was something to see: a service that does nothing leaks nothing."""
    faults, windows = [], 0
    if state.exists():
        with closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as db:
            windows = int(db.execute("SELECT count(*) FROM summaries").fetchone()[0])
    if ran.code:
        faults.append(f"the service ended with exit code {ran.code}: {ran.last_words}")
    if not windows:
        faults.append("no window of the lesson was stored; run it for longer, or look at its sources with edge doctor")
    streams = [data for target, data in written_to(events).items() if to_broker(target, allowed)]
    sent = sum(map(len, streams))
    if not sent:
        faults.append("nothing was sent: the broker could not be reached")
    elif not allowed.tls:
        faults += _silent(streams)
    return make_check("worked", faults, f"{windows} windows stored, {sent} bytes sent to the broker")


def _silent(streams: Sequence[bytes]) -> Iterator[str]:
    """Yield the sources that delivered nothing, by the last health message: what isn't there can't leak."""
    try:
        messages = [message for stream in streams for message in mqtt_messages(stream)]
        last = json.loads([payload for topic, payload in messages if topic.endswith("/health")][-1])
        for source in last["sources"]:
            if source["state"] not in {SourceState.RUNNING, SourceState.ENDED}:
                yield f"source {source['name']} delivered nothing: {source['error'] or source['state']}"
    except (NotOursError, ValueError, LookupError, TypeError):
        yield "no health message was sent, so it is not known whether the sources delivered; run it for longer"


def _notes(*, simulated: bool, tls: bool) -> Iterator[str]:
    """Yield what the reader has to know besides."""
    if not simulated:
        yield "not all sources are simulated: their pixels and samples are not known, and were not looked for"
    if tls:
        yield "the connection is encrypted: what was sent is judged by its amount alone, sources were not looked at"
    if len(Path("/proc/swaps").read_text("utf-8").splitlines()) > 1:
        yield "this machine swaps: memory that holds frames may reach its disk; use zram, or switch swap off"
    if resource.getrlimit(resource.RLIMIT_CORE)[0]:
        yield "this shell allows core dumps, which hold memory: set LimitCORE=0 for the service"
    yield "cameras and microphones with a network connection of their own, and other programs, are not looked into"


def report_text(found: Verification) -> str:
    """Return the report for people: what was checked, how much went where, what a trace can't settle."""
    what = "a simulated class" if found.simulated else "the sources of the settings"
    lines = [f"{found.seconds:.0f} s of the service with {what}, every system call that moves bytes traced", ""]
    lines += [f"{'good' if check.ok else 'BAD ':4}  {check.name}: {check.detail}" for check in found.checks]
    lines += ["", "bytes written or sent"] + [f"{size:>10}  {target}" for target, size in found.amounts]
    if found.programs:
        lines += ["", f"programs it ran, traced as well: {', '.join(found.programs)}"]
    lines += ["", *(f"note: {note}" for note in found.notes), ""]
    lines.append("proved: no raw media was written or sent" if found.proved else f"not proved: {found.fault}")
    return "\n".join(lines)


def report_json(found: Verification) -> dict[str, Any]:
    """Return the report for programs, as `edge privacy verify --json` prints it."""
    return {"proved": found.proved, "fault": found.fault, **asdict(found), "amounts": dict(found.amounts)}
