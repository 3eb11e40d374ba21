"""What the commands work out, as plain data that a program may read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edge.analysis import Analysis
from edge.errors import MediaError, SourceMissingError, StoreError
from edge.fusion.evidence import Reliability
from edge.fusion.tally import Tally
from edge.role import Role
from edge.store.store import Store
from edge.summary import Alert, Lesson, ModalitySummary, WindowSummary
from edge.vision.detector import Detections, FaceDetector

IMAGE_ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}


def analysis_line(name: str, analysis: Analysis) -> dict[str, Any]:
    """Return one file's result as `edge analyze --json` prints it."""
    realtime = analysis.duration_s / analysis.elapsed_s if analysis.elapsed_s else None
    line: dict[str, Any] = {
        "source": name,
        "duration_s": round(analysis.duration_s, 3),
        "realtime_factor": None if realtime is None else round(realtime, 2),
        "roles": {role.value: _role(tally) for role, tally in analysis.tallies.items()},
        "alerts": [alert_line(alert) for alert in analysis.alerts],
        "coverage": {role.value: _coverage(tally) for role, tally in analysis.tallies.items()},
    }
    if any(analysis.withheld.values()):
        line["withheld_windows"] = {role.value: count for role, count in analysis.withheld.items()}
    if analysis.damage is not None:
        line["warning"] = analysis.damage
    return line


def alert_line(alert: Alert) -> dict[str, Any]:
    """Return one alert as `--json` prints it."""
    return {
        "rule": alert.rule,
        "state": alert.state.value,
        "role": alert.role.value,
        "at_s": round(alert.at_s, 3),
        "reason": alert.reason,
    }


def _role(tally: Tally) -> dict[str, Any]:
    return {
        "face": _modality(tally.face),
        "voice": _modality(tally.voice),
        "fused": _modality(tally.fused(Reliability())),
    }


def _modality(modality: ModalitySummary) -> dict[str, Any]:
    shares, negative = modality.shares, modality.negative_share
    return {
        "observations": modality.observations,
        "shares": None if shares is None else {e.value: round(p, 6) for e, p in shares.shares().items()},
        "negative_share": None if negative is None else round(negative, 6),
    }


def _coverage(tally: Tally) -> dict[str, Any]:
    coverage = tally.counted.coverage

    def rounded(value: float | None) -> float | None:
        return None if value is None else round(value, 4)

    return {
        "analysed_frames": tally.counted.looks,
        "people": coverage.people,
        "usable_faces": rounded(coverage.usable_faces),
        "sound_windows": tally.counted.sounds,
        "speech_ratio": rounded(coverage.speech_ratio),
        "level_dbfs": rounded(coverage.level_dbfs),
        "gaps": coverage.gaps,
    }


def find_images(paths: list[Path]) -> list[Path]:
    """Return the images named, and those inside the folders named, in order of name.

    Raises:
        SourceMissingError: A path isn't there, or a folder holds no image.
    """
    images = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in IMAGE_ENDINGS)
            if not inside:
                raise SourceMissingError(
                    f"{path}: no image in this folder; looked for {' '.join(sorted(IMAGE_ENDINGS))}"
                )
            images += inside
        elif path.is_file():
            images.append(path)
        else:
            raise SourceMissingError(f"{path}: no such image or folder")
    return images


def detect_in(images: list[Path], detector: FaceDetector) -> Iterator[tuple[Path, Detections | MediaError]]:
    """Detect the faces of each image; an image that can't be read yields its error and stops nothing."""
    # Imported here because most commands read no image.
    from edge.capture.image import read_image  # noqa: PLC0415

    for path in images:
        try:
            yield path, detector.detect(read_image(path))
        except MediaError as error:
            yield path, error


def detections_line(path: Path, found: Detections) -> dict[str, Any]:
    """Return one image's faces as `edge detect --json` prints them."""
    boxes = np.round(found.boxes_xyxy.astype(np.float64), 2).tolist()
    faces = [
        {"box_xyxy": box, "confidence": round(float(c), 4)} for box, c in zip(boxes, found.confidence, strict=True)
    ]
    return {"image": str(path), "faces": faces}


def stored_lesson(state: Path, lesson_id: str | None) -> tuple[Lesson, list[WindowSummary], list[Alert]]:
    """Read one lesson, the last one unless named.

    Raises:
        StoreError: There is no such database, no lesson in it, or none of that name.
    """
    if not state.is_file():
        raise StoreError(f"{state}: no database here; name the service's with --state")
    store = Store(state)
    try:
        lessons = store.lessons()
        known = {lesson.id: lesson for lesson in lessons}
        chosen = known.get(lesson_id) if lesson_id else max(lessons, key=lambda lesson: lesson.started_at, default=None)
        if chosen is None:
            what = f"no lesson {lesson_id!r}" if lesson_id else "no lesson yet"
            raise StoreError(f"{state}: {what}; known: {', '.join(known) or 'none'}")
        summaries = [summary for role in Role for summary in store.summaries(chosen.id, role)]
        return chosen, summaries, store.alerts(chosen.id)
    finally:
        store.close()
