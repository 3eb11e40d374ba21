"""`edge analyze`, `edge detect` and `edge report`."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from edge.cli.app import OUT, JsonFlag, Verbose, app, complain, log, progress
from edge.errors import SettingsError, StoreError
from edge.role import Role


@app.command()
def analyze(  # noqa: PLR0913 - one parameter an option
    recordings: Annotated[
        list[str],
        typer.Argument(help="Files, folders, patterns, simulated:LESSON; each may be [ROLE=]PATH[@OFFSET]."),
    ],
    *,
    as_json: JsonFlag = False,
    role: Annotated[Role, typer.Option(help="Whom recordings show that do not say it.")] = Role.STUDENTS,
    together: Annotated[bool, typer.Option("--together", help="All of them are one lesson.")] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="Lessons at a time; as many as cores if not given.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Keep a JSON file a lesson there; what is done is not done again.")
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Settings with the privacy decision.")] = None,
    consent: Annotated[
        str | None, typer.Option(help="Everybody in the recordings agreed: who says so, and when. Nothing is withheld.")
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Analyse recordings through the stages of the live service, as fast as it goes.

    Emotions are read only under the decision in --config, or with --consent; results of few students are withheld.

    Example: edge analyze lesson.mp4 --consent "all parents, 2026-02-01" --json
    """
    from edge.batch import plan
    from edge.cli.batches import analyse_all
    from edge.config import read_settings

    log(verbose=verbose)
    if consent is not None and not consent.strip():
        raise SettingsError("--consent needs a text: who agreed, and when")
    settings = None if config is None else read_settings(config)
    lessons = plan(recordings, role=role, together=together)
    whole = analyse_all(
        lessons, settings=settings, consent=consent, processes=jobs or os.cpu_count() or 1, out=out, as_json=as_json
    )
    if not whole:
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
