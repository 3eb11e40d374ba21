"""`edge evaluate`: the shipped models on data with known labels."""

import json
from pathlib import Path
from typing import Annotated

import typer

from edge.cli.app import OUT, JsonFlag, app, log, progress
from edge.errors import StoreError
from edge.evaluation.score import Score

evaluate = typer.Typer(
    help="Measure the shipped models on data with known labels. The people in it agreed to that.",
    no_args_is_help=True,
)
app.add_typer(evaluate, name="evaluate")

PictureOption = Annotated[Path | None, typer.Option("--picture", help="Write the confusion matrix there, as SVG.")]


@evaluate.command()
def ckplus(
    path: Annotated[Path, typer.Argument(help="CK+'s folder, or an .npz with images and labels.")],
    *,
    as_json: JsonFlag = False,
    picture: PictureOption = None,
) -> None:
    """Judge the face emotion model on CK+'s last frames, of which it was shown none in training.

    Example: edge evaluate ckplus ckplus48.npz
    """
    from edge.evaluation.faces import read_ckplus
    from edge.evaluation.tables import ckplus_results

    log(verbose=False)
    faces = read_ckplus(path)
    with progress("CK+", float(len(faces))) as advance:
        _show(ckplus_results(faces, advance), as_json=as_json, picture=picture, title="CK+, as shipped")


@evaluate.command()
def kdef(
    path: Annotated[Path, typer.Argument(help="An .npz with images and labels.")],
    *,
    as_json: JsonFlag = False,
    picture: PictureOption = None,
) -> None:
    """Judge the face emotion model on KDEF's frontal faces.

    Example: edge evaluate kdef kdef96.npz
    """
    from edge.evaluation.faces import read_archive
    from edge.evaluation.tables import kdef_results

    log(verbose=False)
    faces = read_archive(path)
    with progress("KDEF", float(len(faces))) as advance:
        _show(kdef_results(faces, advance), as_json=as_json, picture=picture, title="KDEF, frontal")


@evaluate.command()
def fer2013(
    path: Annotated[Path, typer.Argument(help="fer2013.csv, or its folder; FER+'s fer2013new.csv may lie beside it.")],
    *,
    usage: Annotated[str, typer.Option(help="Part of the table.")] = "PublicTest",
    as_json: JsonFlag = False,
    picture: PictureOption = None,
) -> None:
    """Judge the face emotion model on FER2013: against the FER+ majority and against the own labels.

    Example: edge evaluate fer2013 fer2013.csv
    """
    from edge.evaluation.faces import read_fer2013
    from edge.evaluation.tables import fer2013_results

    log(verbose=False)
    faces, majority = read_fer2013(path, usage)
    with progress("FER2013", float(len(faces))) as advance:
        results = fer2013_results(faces, majority, advance)
    _show(results, as_json=as_json, picture=picture, title=f"FER2013 {usage}")


@evaluate.command()
def wider(
    folder: Annotated[Path, typer.Argument(help="WIDER FACE's folder, with wider_face_split in it.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Judge the face detector on WIDER FACE: average precision at IoU 0.5 by size of the faces.

    Example: edge evaluate wider widerface
    """
    from edge.evaluation.detection import evaluate_detector, read_boxes
    from edge.service import make_detector

    log(verbose=False)
    truth = read_boxes(folder)
    detector = make_detector(confidence=0.02)
    with progress("WIDER FACE", float(len(truth))) as advance:
        rows = evaluate_detector(truth, detector.detect, advance)
    if as_json:
        table = {f"{r.smallest_px}": {"ap": round(r.average_precision, 4), "recall": round(r.recall, 4)} for r in rows}
        typer.echo(json.dumps({"n": len(truth), "faces": {str(r.smallest_px): r.faces for r in rows}, "sizes": table}))
        return
    for row in rows:
        OUT.print(
            f"faces >= {row.smallest_px} px: AP {row.average_precision:.3f}  recall {row.recall:.3f}  ({row.faces})",
            highlight=False,
        )


@evaluate.command()
def clips(
    folder: Annotated[Path, typer.Argument(help="Folder of video or sound clips.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Show the share of each emotion in each clip of a folder.

    Example: edge evaluate clips recordings/
    """
    from edge.batch import Job, Part
    from edge.evaluation.clips import clip_shares, find_clips, shares_table
    from edge.fusion.evidence import Reliability
    from edge.observation import EmotionDistribution
    from edge.recorded import FileOptions, analyse_job
    from edge.role import Role

    log(verbose=False)
    paths = find_clips(folder)
    options = FileOptions.of(None, agreed=True, threads=2)

    def read(path: Path) -> tuple[EmotionDistribution | None, str | None]:
        job = Job(path.name, (Part(str(path), Role.STUDENTS),))
        analysis = analyse_job(job, lambda _: None, options=options)
        return analysis.tallies[Role.STUDENTS].fused(Reliability()).shares, analysis.damage

    rows = []
    with progress("clips", float(len(paths))) as advance:
        for number, path in enumerate(paths, start=1):
            rows.append(clip_shares(path, read))
            advance(float(number))
    if as_json:
        for row in rows:
            shares = None if row.shares is None else {e.value: round(p, 4) for e, p in row.shares.shares().items()}
            typer.echo(json.dumps({"clip": row.name, "shares": shares, "problem": row.problem}))
    else:
        OUT.print(shares_table(rows))
    if any(row.problem for row in rows):
        raise typer.Exit(1)


def _show(results: dict[str, Score], *, as_json: bool, picture: Path | None, title: str) -> None:
    """Print the results, the first of which is the one that counts, and draw it."""
    from edge.evaluation.picture import confusion_svg
    from edge.evaluation.tables import score_table

    first, *others = results.values()
    if picture is not None:
        try:
            picture.write_text(confusion_svg(first, title), "utf-8")
        except OSError as error:
            raise StoreError(f"{picture}: can't be written ({error.strerror})") from error
    if as_json:
        names = list(results)
        line = {**first.as_json(), "protocol": names[0]}
        line |= {name: result.as_json() for name, result in zip(names[1:], others, strict=True)}
        typer.echo(json.dumps(line))
        return
    for name, result in results.items():
        OUT.print(score_table(result, f"{title}: {name}"))
