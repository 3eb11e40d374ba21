"""Average precision of a detector."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from edge.errors import MediaError, SourceMissingError
from edge.evaluation.detection import average_precision, evaluate_detector, read_boxes
from edge.vision.detector import Detections

Boxes = npt.NDArray[np.float32]


def boxes(*corners: tuple[float, float, float, float]) -> Boxes:
    """Return boxes."""
    return np.array(corners, np.float32).reshape(-1, 4)


def found(*rows: tuple[float, float, float, float, float]) -> Detections:
    """Return detections, best first, of left, top, right, bottom and confidence."""
    table = np.array(sorted(rows, key=lambda row: -row[4]), np.float32).reshape(-1, 5)
    return Detections(table[:, :4], table[:, 4])


A, B = (0.0, 0.0, 40.0, 40.0), (100.0, 0.0, 150.0, 50.0)


def test_a_perfect_detector_has_a_precision_of_one() -> None:
    """Every face found, none invented."""
    row = average_precision([boxes(A, B)], [found((*A, 0.9), (*B, 0.4))], 16)

    assert (row.faces, row.average_precision, row.recall) == (2, 1.0, 1.0)


def test_a_false_face_above_a_true_one_costs() -> None:
    """Recall 1 at precision 1/2: the area is a half."""
    row = average_precision([boxes(A)], [found((200, 200, 240, 240, 0.9), (*A, 0.5))], 16)

    assert row.average_precision == pytest.approx(0.5)


def test_a_face_found_twice_is_false_once() -> None:
    """The second hit on the same face is an invention, so the next face is found at precision 2/3."""
    row = average_precision([boxes(A, B)], [found((*A, 0.9), (1, 1, 41, 41, 0.8), (*B, 0.7))], 16)

    assert row.average_precision == pytest.approx((1 + 2 / 3) / 2)


def test_small_faces_are_neither_wanted_nor_punished() -> None:
    """A face below the row's size that is found changes nothing, and neither does a small invention."""
    small = (60.0, 60.0, 70.0, 70.0)
    row = average_precision([boxes(A, small)], [found((*small, 0.95), (*A, 0.9), (300, 0, 310, 10, 0.99))], 24)

    assert (row.faces, row.average_precision) == (1, 1.0)


def test_nothing_found_is_a_row_of_zeros() -> None:
    """No detections, no precision, no division by zero."""
    row = average_precision([boxes(A), boxes()], [found(), found()], 16)

    assert (row.faces, row.average_precision, row.recall) == (1, 0.0, 0.0)


def layout(folder: Path, text: str) -> Path:
    """Write a tiny WIDER FACE folder with one picture."""
    (folder / "wider_face_split").mkdir(parents=True)
    (folder / "wider_face_split" / "wider_face_val_bbx_gt.txt").write_text(text)
    (folder / "val" / "images" / "0--Event").mkdir(parents=True)
    cv2.imwrite(str(folder / "val" / "images" / "0--Event" / "one.png"), np.zeros((60, 160, 3), np.uint8))
    return folder


def test_the_public_layout_is_read_and_judged(tmp_path: Path) -> None:
    """Boxes come as left, top, width, height; a picture without faces has a row of zeros."""
    folder = layout(tmp_path / "w", "0--Event/one.png\n1\n100 0 50 50 0 0 0 0 0 0\n")
    truth = read_boxes(folder)
    rows = evaluate_detector(truth, lambda pixels: found((*B, 0.5)) if pixels.shape == (60, 160, 3) else found())

    assert [box.tolist() for box in truth.values()] == [[list(B)]]
    assert {row.average_precision for row in rows} == {1.0}


def test_a_table_in_another_layout_is_one_clear_line(tmp_path: Path) -> None:
    """The line names the file and the row."""
    folder = layout(tmp_path / "w", "0--Event/one.png\nmany\n")
    with pytest.raises(MediaError, match=r"bbx_gt\.txt: line 1 is not in WIDER FACE's layout"):
        read_boxes(folder)


def test_a_folder_without_a_table_is_one_clear_line(tmp_path: Path) -> None:
    """The training part alone is not judged."""
    with pytest.raises(SourceMissingError, match="no wider_face_split"):
        read_boxes(tmp_path)
