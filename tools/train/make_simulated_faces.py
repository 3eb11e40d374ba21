#!/usr/bin/env python3
"""Learn the simulated classroom's faces: a statistical shape and texture model of seven emotions.

make_simulated_faces.py KDEF.npz face_landmarks_detector.tflite OUT.npz [--modes N]

``KDEF.npz`` holds ``images`` (n, 96, 96) grey frontal faces, ``labels`` (n,), ``subjects`` (n,) and ``label_names``,
made from the Karolinska Directed Emotional Faces (Lundqvist, Flykt and Öhman, 1998). The landmark network is the one
inside MediaPipe's public ``face_landmarker.task`` (a zip file; Apache-2.0).

It is an active appearance model (Cootes, Edwards and Taylor, 2001): every photograph is warped onto the mean shape of
its emotion, and one principal component analysis runs over people, on the textures and shapes of all seven emotions
together. So one short row of coefficients gives one invented person in seven moods.

Why nobody in the file is real: a person enters only through sums over all people (the means) and through the main
directions of variation between them. The coefficients that would place a real person in the model are never written,
the two photographs of each mood are averaged first, and what the leading modes leave out of a person (printed below
as "unexplained") is lost for good.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

Floats = npt.NDArray[np.float64]

SIDE = 96
"""Pixels of the frame that shapes and textures live in."""

GRID = 16
"""Points a side of the grid that holds a person's shape, as displacements."""

STEADY = (33, 133, 362, 263, 168, 6, 197, 195)
"""Landmarks that no expression moves much: corners of the eyes and the bridge of the nose."""

OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152),
    *(148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
MOUTH = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
EYES = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)


SPREAD, LIMIT = 0.8, 1.4
"""How the simulated classroom draws a person's coefficients: standard deviation and largest value."""

FOILS = {1: (6, 0), 2: (6, 5)}
"""What an emotion is pushed away from, where that is not neutral alone: disgust from anger too, fear from surprise."""


def find_landmarks(images: npt.NDArray[np.uint8], network: Path) -> Floats:
    """Return landmarks in pixels of each image, shape (images, 468, 2)."""
    interpreter = Interpreter(model_path=str(network), num_threads=1)
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]["index"]
    wanted = next(d["index"] for d in interpreter.get_output_details() if int(np.prod(d["shape"])) == 478 * 3)
    side, margin = images.shape[1], images.shape[1] // 4
    found = []
    for image in images:
        framed = cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
        grey = cv2.resize(framed, (256, 256)).astype(np.float32)
        lit = (grey - grey.min()) / max(float(np.ptp(grey)), 1.0)
        rgb = np.repeat(lit[:, :, None], 3, axis=2)
        interpreter.set_tensor(given, rgb[None])
        interpreter.invoke()
        points = interpreter.get_tensor(wanted).reshape(478, 3)[:468, :2]
        found.append(points / 256 * (side + 2 * margin) - margin)
    return np.asarray(found, np.float64)


def similarity(source: Floats, target: Floats) -> Floats:
    """Return the 2x3 turn, scale and shift that lays *source* on *target* in the least squares sense."""
    a, b = source - source.mean(0), target - target.mean(0)
    x, y = (a * b).sum() / (a * a).sum(), (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / (a * a).sum()
    turn = np.array([[x, -y], [y, x]])
    return np.hstack([turn, (target.mean(0) - turn @ source.mean(0))[:, None]])


def moved(points: Floats, matrix: Floats) -> Floats:
    """Apply a 2x3 matrix to points, shape (n, 2)."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def align(shapes: Floats) -> tuple[Floats, Floats]:
    """Lay all shapes on one another; return them in the model's frame and the matrices that put them there."""
    target = shapes[0]
    for _ in range(3):
        laid = np.stack([moved(s, similarity(s[list(STEADY)], target[list(STEADY)])) for s in shapes])
        target = laid.mean(0)
    oval = target[list(OVAL)]
    scale = 80.0 / np.ptp(oval[:, 1])
    centre = (oval.min(0) + oval.max(0)) / 2
    target = (target - centre) * scale + np.array([SIDE / 2, SIDE / 2 + 1])
    matrices = np.stack([similarity(s[list(STEADY)], target[list(STEADY)]) for s in shapes])
    return np.stack([moved(s, m) for s, m in zip(shapes, matrices, strict=True)]), matrices


class Spline:
    """A smoothing thin-plate spline from one set of points to another (Bookstein, 1989)."""

    def __init__(self, source: Floats, target: Floats, smoothing: float = 2.0) -> None:
        count = len(source)
        border = np.hstack([np.ones((count, 1)), source])
        system = np.zeros((count + 3, count + 3))
        system[:count, :count] = self._kernel(source, source) + smoothing * np.eye(count)
        system[:count, count:], system[count:, :count] = border, border.T
        self._weights = np.linalg.solve(system, np.vstack([target, np.zeros((3, 2))]))
        self._source = source

    @staticmethod
    def _kernel(a: Floats, b: Floats) -> Floats:
        squared = ((a[:, None] - b[None]) ** 2).sum(2)
        return np.asarray(squared * np.log(np.maximum(squared, 1e-9)) / 2)

    def __call__(self, points: Floats) -> Floats:
        """Return where *points*, shape (n, 2), go."""
        parts = np.hstack([self._kernel(points, self._source), np.ones((len(points), 1)), points])
        return np.asarray(parts @ self._weights)


def lattice(count: int) -> Floats:
    """Return *count* x *count* points spread evenly over the frame, corners included, shape (count**2, 2)."""
    axis = np.linspace(0, SIDE - 1, count)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def dense(field: Floats, count: int) -> npt.NDArray[np.float32]:
    """Spread a lattice's values, shape (count**2, 2), over every pixel of the frame."""
    axis = np.linspace(0, count - 1, SIDE, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    values = field.reshape(count, count, 2).astype(np.float32)
    return np.asarray(cv2.remap(values, x, y, cv2.INTER_LINEAR), np.float32)


def polygon(points: Floats, *, grow: int = 0) -> npt.NDArray[np.uint8]:
    """Return an outline's inside as a 0 to 255 picture of the frame."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow + 1, 2 * grow + 1))
    return np.asarray(cv2.dilate(mask, brush), np.uint8)


def quantised(values: Floats) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Return rows as int8 and each row's scale."""
    scale = np.maximum(np.abs(values).reshape(len(values), -1).max(axis=1), 1e-6) / 127
    steps = values / scale.reshape(-1, *[1] * (values.ndim - 1))
    return np.round(steps).astype(np.int8), scale.astype(np.float32)


def pushes(mean_texture: Floats, means: Floats, inside: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return what sets each mean apart from its :data:`FOILS`, in its own frame: a texture and a field of shape."""
    textures, fields = [], []
    for label, (texture, mean) in enumerate(zip(mean_texture, means, strict=True)):
        foils = FOILS.get(label, (6,))
        foil_texture = np.zeros_like(texture)
        for foil in foils:
            plane = np.zeros(SIDE * SIDE, np.float32)
            plane[inside] = mean_texture[foil]
            there = dense(Spline(mean, means[foil])(lattice(32)), 32)
            warped = cv2.remap(plane.reshape(SIDE, SIDE), there[..., 0], there[..., 1], cv2.INTER_CUBIC)
            foil_texture += warped.ravel()[inside] / len(foils)
        textures.append(texture - foil_texture)
        fields.append(Spline(2 * mean - means[list(foils)].mean(0), mean)(lattice(GRID)) - lattice(GRID))
    return np.array(textures), np.array(fields).reshape(7, GRID, GRID, 2)


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """What the photographs hold, one entry a person who shows all seven emotions."""

    textures: Floats
    """Lightness in standard deviations on the mean shape of each emotion, shape (people, 7, pixels)."""

    fields: Floats
    """What each point of the grid is displaced by, pixels, shape (people, 7, GRID * GRID, 2)."""


def read_people(kdef: Path, network: Path) -> tuple[People, Floats, npt.NDArray[np.bool_]]:
    """Return the people, each emotion's mean shape, shape (7, 468, 2), and which pixels a texture covers."""
    with np.load(kdef) as data:
        images, labels, subjects = data["images"], data["labels"], data["subjects"]
    shapes, matrices = align(find_landmarks(images, network))
    means = np.stack([shapes[labels == label].mean(0) for label in range(7)])
    inside = np.maximum.reduce([polygon(m[list(OVAL)], grow=2) for m in means]).ravel() > 127
    core = np.minimum.reduce([polygon(m[list(OVAL)]) for m in means]).ravel() > 127
    people = sorted(set(subjects))
    textures = np.zeros((len(people), 7, int(inside.sum())))
    fields = np.zeros((len(people), 7, GRID * GRID, 2))
    counts = np.zeros((len(people), 7))
    for image, label, subject, shape, matrix in zip(images, labels, subjects, shapes, matrices, strict=True):
        person = people.index(subject)
        framed = cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        there = dense(Spline(means[label], shape)(lattice(32)), 32)
        flat = cv2.remap(framed, there[..., 0], there[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        values = flat.astype(np.float64).ravel()
        values = (values - values[core].mean()) / max(float(values[core].std()), 1.0)
        textures[person, label] += values[inside]
        fields[person, label] += Spline(shape, means[label])(lattice(GRID)) - lattice(GRID)
        counts[person, label] += 1
    whole = (counts > 0).all(axis=1)
    counts = counts[whole]
    return People(textures[whole] / counts[..., None], fields[whole] / counts[..., None, None]), means, inside


def find_modes(people: People, modes: int) -> tuple[Floats, Floats, Floats, float]:
    """Find the main directions between people, each one standard deviation long.

    Returns:
        Textures, shape (modes, 7, pixels); shapes, (modes, 7, GRID, GRID, 2); the people's own coefficients, which must
        never be written, (people, modes); the share of variance that the directions leave unexplained.
    """
    count = len(people.textures)
    texture = (people.textures - people.textures.mean(0)).reshape(count, -1)
    field = (people.fields - people.fields.mean(0)).reshape(count, -1)
    # Shape and lightness have different units; each counts for half of the variance.
    balance = np.sqrt((texture**2).sum() / (field**2).sum())
    sides, strength, directions = np.linalg.svd(np.hstack([texture, field * balance]), full_matrices=False)
    chosen = directions[:modes] * (strength[:modes, None] / np.sqrt(count - 1))
    split = texture.shape[1]
    unexplained = 1 - float((strength[:modes] ** 2).sum() / (strength**2).sum())
    fields = chosen[:, split:].reshape(modes, 7, GRID, GRID, 2) / balance
    return chosen[:, :split].reshape(modes, 7, -1), fields, sides[:, :modes] * np.sqrt(count - 1), unexplained


def nearest(from_these: Floats, to_those: Floats) -> float:
    """Return the middle distance from one set's points to the nearest, but not the same, of another."""
    distance = np.sqrt(((from_these[:, None] - to_those[None]) ** 2).sum(2))
    return float(np.median(np.where(distance > 1e-9, distance, np.inf).min(axis=1)))


def outlines(mean: Floats) -> npt.NDArray[np.uint8]:
    """Return where a mean face, its lips, the inside of its mouth and its eyes are, shape (4, SIDE, SIDE)."""
    eyes = np.maximum(*(polygon(mean[list(eye)]) for eye in EYES))
    return np.stack([*(polygon(mean[list(outline)]) for outline in (OVAL, LIPS, MOUTH)), eyes])


def main() -> None:
    """Learn the model and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kdef", type=Path)
    parser.add_argument("landmarks", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--modes", type=int, default=14)
    given = parser.parse_args()

    people, means, inside = read_people(given.kdef, given.landmarks)
    texture_modes, field_modes, real, unexplained = find_modes(people, given.modes)
    mean_texture = people.textures.mean(0)
    push_texture, push_field = pushes(mean_texture, means, inside)
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "inside": np.packbits(inside),
        "regions": np.stack([outlines(mean) for mean in means]),
    }
    for name, values in {
        "mean_texture": mean_texture,
        "texture_modes": texture_modes,
        "field_modes": field_modes,
        "push_texture": push_texture,
        "push_field": push_field,
    }.items():
        arrays[name], arrays[f"{name}_scale"] = quantised(values)
    np.savez_compressed(given.out, allow_pickle=False, **arrays)
    print(f"people {len(people.textures)}, texture pixels {int(inside.sum())}, modes {given.modes}")
    print(f"unexplained share of variance between people {unexplained:.3f}")
    invented = np.clip(np.random.default_rng(0).normal(scale=SPREAD, size=(2000, given.modes)), -LIMIT, LIMIT)
    print(
        f"to the nearest real person: from a real one {nearest(real, real):.2f}, invented {nearest(invented, real):.2f}"
    )
    print(f"{given.out}: {given.out.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
