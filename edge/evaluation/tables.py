"""The face emotion model's results on each data set, and how a result looks in a terminal."""

from collections.abc import Callable

import numpy as np
from rich.box import SIMPLE
from rich.table import Table

from edge.evaluation.faces import LabelledFaces
from edge.evaluation.score import Labels, Probabilities, Score, score
from edge.inference.model import Model
from edge.inference.sidecar import models_folder
from edge.observation import Emotion
from edge.vision.emotion import FaceEmotion

NAMES = tuple(emotion.value for emotion in Emotion)
BASIC = NAMES[:-1]
"""The six basic emotions (Ekman, 1992): all but neutral."""

Progress = Callable[[float], None]


def read_all(faces: LabelledFaces, progress: Progress) -> Probabilities:
    """Return what the shipped model says of each face, shape (faces, 7)."""
    model = FaceEmotion(Model(models_folder() / "face_emotion.tflite"))
    found = []
    for number, image in enumerate(faces.images, start=1):
        found.append(model.classify(image).probabilities)
        progress(float(number))
    return np.array(found)


def ckplus_results(faces: LabelledFaces, progress: Progress) -> dict[str, Score]:
    """Judge on CK+, which has the six basic emotions and contempt but no neutral.

    The six compete among themselves; the stricter second figure lets neutral win as well. Contempt is left out: the
    model has no such class.
    """
    basic = faces.only(faces.labels < len(BASIC))
    found = read_all(basic, progress)
    six = found[:, : len(BASIC)]
    return {
        "as_shipped_six_basic": score(six / six.sum(axis=1, keepdims=True), basic.labels, BASIC),
        "as_shipped_neutral_allowed": score(found, basic.labels, NAMES),
    }


def kdef_results(faces: LabelledFaces, progress: Progress) -> dict[str, Score]:
    """Judge on KDEF, which has all seven."""
    known = faces.only(faces.labels < len(NAMES))
    return {"as_shipped": score(read_all(known, progress), known.labels, NAMES)}


def fer2013_results(faces: LabelledFaces, majority: Labels | None, progress: Progress) -> dict[str, Score]:
    """Judge on FER2013: against the FER+ majority first, where FER+ is there, and against the own labels."""
    found = read_all(faces, progress)
    own = {"own_labels": score(found, faces.labels, NAMES)}
    if majority is None:
        return own
    judged = majority >= 0
    return {"ferplus_majority": score(found[judged], majority[judged], NAMES), **own}


def score_table(result: Score, title: str) -> Table:
    """Return a table with a row a class: recall, and where its cases went."""
    caption = (
        f"n {result.n}   accuracy {result.accuracy:.1%}   mean recall {result.mean_recall:.1%}   "
        f"calibration error {result.calibration_error:.3f}"
    )
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left", box=SIMPLE)
    table.add_column("true")
    table.add_column("recall", justify="right")
    for name in result.labels:
        table.add_column(name, justify="right")
    for row, (name, recall) in zip(result.confusion, result.recalls.items(), strict=True):
        table.add_row(name, "-" if recall is None else f"{recall:.1%}", *(str(count) for count in row))
    return table
