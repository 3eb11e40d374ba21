"""`edge analyze`, `edge detect` and `edge report`."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from edge.cli.app import OUT, JsonFlag, Verbose, app, complain, log, progress
from edge.errors import SettingsError, SourceError, StoreError
from edge.role import Role


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
    log(verbose=verbose)
    from edge.alerts.rules import Rule
    from edge.commands import analysis_line
    from edge.fusion.aggregator import Windows
    from edge.service import StageOptions, analyse_recording, recording_length_s
    from edge.terminal import analysis_text

    options = StageOptions(threads=min(2, os.cpu_count() or 1))
    failed = False
    for name in files:
        try:
            with progress(name, recording_length_s(name)) as advance:
                analysis = analyse_recording(
                    name, role=role, options=options, windows=Windows(), rules=[Rule(role=role)], progress=advance
                )
        except (SourceError, SettingsError) as error:
            failed = True
            complain(error)
            continue
        if analysis.damage is not None:
            failed = True
            complain(analysis.damage)
        line = analysis_line(name, analysis)
        if as_json:
            typer.echo(json.dumps(line))
        else:
            OUT.print(analysis_text(line, analysis))
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
    log(verbose=False)
    from edge.commands import detect_in, detections_line, find_images
    from edge.errors import MediaError
    from edge.service import make_detector

    # A program can cut where it likes, so it is given all candidates with their confidence.
    confidence = min_confidence if min_confidence is not None else (0.02 if as_json else None)
    images = find_images(paths)
    detector = make_detector(confidence=confidence)
    failed = False
    with progress("images", float(len(images))) as advance:
        for number, (path, found) in enumerate(detect_in(images, detector), start=1):
            advance(float(number))
            if isinstance(found, MediaError):
                failed = True
                complain(found)
            elif as_json:
                typer.echo(json.dumps(detections_line(path, found)))
            else:
                OUT.print(f"{path}: {len(found)} faces", highlight=False, soft_wrap=True, markup=False)
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
    log(verbose=False)
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
    OUT.print(f"{out} written", highlight=False, soft_wrap=True, markup=False)
