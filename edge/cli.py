"""The command `edge`."""

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from edge import __version__
from edge.errors import EdgeError, SettingsError, SourceError, StoreError
from edge.role import Role

app = typer.Typer(
    name="edge",
    help="Class-level mood from cameras and microphones, worked out on the box in the room.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_out, _err = Console(), Console(stderr=True)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs, nothing else.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log every step to standard error.")]


def main() -> None:
    """Run a command; every foreseen error is one line and exit code 1, or 2 for usage and settings."""
    try:
        app()
    except EdgeError as error:
        _complain(error)
        sys.exit(2 if isinstance(error, SettingsError) else 1)
    except KeyboardInterrupt:
        sys.exit(130)


def _log(*, verbose: bool) -> None:
    level = logging.DEBUG if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("edge").setLevel(level if verbose else logging.INFO)


@contextmanager
def _stop_on_signal() -> Iterator[threading.Event]:
    """Set an event on the first SIGINT or SIGTERM; the second acts as usual."""
    stop = threading.Event()
    previous = {}

    def handle(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        previous[number] = signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@app.command()
def run(
    config: Annotated[Path, typer.Option("--config", "-c", help="Settings file; `edge init` writes one.")],
    *,
    verbose: Verbose = False,
) -> None:
    """Run the service until it is told to stop.

    Example: edge run --config edge.toml
    """
    _log(verbose=verbose)
    from edge.config import read_settings
    from edge.service import Service

    settings = read_settings(config)
    with _stop_on_signal() as stop:
        Service(settings).run(stop)


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("edge.toml"),
) -> None:
    """Write a settings file to begin with; it never replaces one.

    Example: edge init edge.toml
    """
    from edge.config import EXAMPLE

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(EXAMPLE)
    except FileExistsError:
        raise SettingsError(f"{path}: exists already; name another file") from None
    except OSError as error:
        raise SettingsError(f"{path}: can't be written ({error.strerror})") from error
    _out.print(f"{path} written; choose a privacy mode in it, then: edge run --config {path}", highlight=False)


@app.command()
def demo(
    *,
    seconds: Annotated[float | None, typer.Option(help="Stop after this long.", min=1)] = None,
    port: Annotated[int, typer.Option(help="MQTT port; 0 takes a free one.", min=0, max=65535)] = 1883,
    ws_port: Annotated[int, typer.Option(help="MQTT port for WebSocket; 0 takes a free one.", min=0, max=65535)] = 9001,
    verbose: Verbose = False,
) -> None:
    """Show a simulated class: drawn faces and made-up speech through the real pipeline, to a broker of its own.

    Example: edge demo --seconds 60
    """
    _log(verbose=verbose)
    from edge.demo import run_demo

    with _stop_on_signal() as stop:
        run_demo(console=_out, stop=stop, seconds=seconds, port=port, ws_port=ws_port)


@app.command()
def analyze(
    files: Annotated[list[str], typer.Argument(help="Video or sound files, or simulated:LESSON.")],
    *,
    as_json: JsonFlag = False,
    role: Annotated[Role, typer.Option(help="Whom the recordings show.")] = Role.STUDENTS,
    verbose: Verbose = False,
) -> None:
    """Analyse recordings through the stages of the live service, as fast as it goes.

    Example: edge analyze lesson.mp4 --json
    """
    _log(verbose=verbose)
    from edge.alerts.rules import Rule
    from edge.commands import analysis_line
    from edge.fusion.aggregator import Windows
    from edge.service import StageOptions, analyse_recording, recording_length_s
    from edge.terminal import analysis_text

    options = StageOptions(threads=min(2, os.cpu_count() or 1))
    failed = False
    for name in files:
        try:
            with _progress(name, recording_length_s(name)) as advance:
                analysis = analyse_recording(
                    name, role=role, options=options, windows=Windows(), rules=[Rule(role=role)], progress=advance
                )
        except (SourceError, SettingsError) as error:
            failed = True
            _complain(error)
            continue
        if analysis.damage is not None:
            failed = True
            _complain(analysis.damage)
        line = analysis_line(name, analysis)
        if as_json:
            typer.echo(json.dumps(line))
        else:
            _out.print(analysis_text(line, analysis))
    if failed:
        raise typer.Exit(1)


@app.command()
def detect(
    paths: Annotated[list[Path], typer.Argument(help="Images, or folders of images.")],
    *,
    as_json: JsonFlag = False,
    min_confidence: Annotated[
        float | None,
        typer.Option(min=0.001, max=1, help="Leave out weaker faces. Default: 0.02 with --json, else 0.36."),
    ] = None,
) -> None:
    """Find the faces in images. No emotion is read.

    Example: edge detect photos/ --json
    """
    _log(verbose=False)
    from edge.commands import detect_in, detections_line, find_images
    from edge.errors import MediaError
    from edge.service import make_detector

    # A program can cut where it likes, so it is given all candidates with their confidence.
    confidence = min_confidence if min_confidence is not None else (0.02 if as_json else None)
    images = find_images(paths)
    detector = make_detector(confidence=confidence)
    failed = False
    with _progress("images", float(len(images))) as advance:
        for number, (path, found) in enumerate(detect_in(images, detector), start=1):
            advance(float(number))
            if isinstance(found, MediaError):
                failed = True
                _complain(found)
            elif as_json:
                typer.echo(json.dumps(detections_line(path, found)))
            else:
                _out.print(f"{path}: {len(found)} faces", highlight=False, soft_wrap=True, markup=False)
    if failed:
        raise typer.Exit(1)


@app.command()
def report(
    lesson: Annotated[str | None, typer.Argument(help="A lesson's id; the last one if not given.")] = None,
    *,
    state: Annotated[Path, typer.Option(help="The database of the service.")] = Path("edge.db"),
    out: Annotated[Path, typer.Option(help="Where to write the page.")] = Path("report.html"),
    as_json: JsonFlag = False,
) -> None:
    """Say what a stored lesson was like, as a page that prints well or as JSON.

    Example: edge report --state edge.db --out report.html
    """
    _log(verbose=False)
    from edge.commands import stored_lesson
    from edge.report.lesson import lesson_json
    from edge.report.page import lesson_page

    chosen, summaries, alerts = stored_lesson(state, lesson)
    if as_json:
        typer.echo(json.dumps(lesson_json(chosen, summaries, alerts)))
        return
    try:
        out.write_text(lesson_page(chosen, summaries, alerts), "utf-8")
    except OSError as error:
        raise StoreError(f"{out}: can't be written ({error.strerror})") from error
    _out.print(f"{out} written", highlight=False, soft_wrap=True, markup=False)


@app.command()
def devices(*, as_json: JsonFlag = False) -> None:
    """List cameras and microphones.

    Example: edge devices
    """
    _log(verbose=False)
    from edge.capture.devices import list_cameras, list_microphones

    cameras, microphones = list_cameras(), list_microphones()
    if as_json:
        typer.echo(
            json.dumps({"cameras": [asdict(c) for c in cameras], "microphones": [asdict(m) for m in microphones]})
        )
        return
    for what, found in (("camera", cameras), ("microphone", microphones)):
        if not found:
            _out.print(f"no {what}; `edge doctor` says what may be missing", highlight=False)
        for device in found:
            _out.print(f"{what}  {device}", highlight=False, soft_wrap=True, markup=False)


@app.command()
def doctor(*, as_json: JsonFlag = False) -> None:
    """Say what works here, what is missing, and which package brings it.

    Example: edge doctor
    """
    _log(verbose=False)
    from edge.capture.devices import diagnose
    from edge.doctor import examine_models
    from edge.terminal import findings_text

    models = examine_models()
    findings = models + diagnose()
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        _out.print(findings_text(findings), soft_wrap=True)
    # Nothing works without the models; the rest is needed only by those who use it.
    if not all(model.ok for model in models):
        raise typer.Exit(1)


@app.callback(invoke_without_command=True)
def _root(*, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def _complain(error: object) -> None:
    _err.print(f"edge: {error}", style="red", highlight=False, soft_wrap=True, markup=False)


@contextmanager
def _progress(name: str, total: float | None) -> Iterator[Callable[[float], None]]:
    """Show a bar on standard error, where a program that reads JSON does not see it."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_err, transient=True, disable=not _err.is_terminal) as bar:
        task = bar.add_task(Path(name).name, total=total)
        yield lambda done: bar.update(task, completed=done)
