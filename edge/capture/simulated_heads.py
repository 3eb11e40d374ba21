"""Heads around the invented faces: skin, ears, neck and hair, painted as shapes with soft edges."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.capture.simulated_faces import FaceModel, FacePicture, Plane
from edge.observation import Emotion

Colour = tuple[int, int, int]
Picture = npt.NDArray[np.float32]

LEFT, TOP, WIDTH, HEIGHT = -10.0, -32.0, 116.0, 156.0
"""The canvas of a head in pixels of the face model's frame: its corner and its size."""

SKINS: tuple[Colour, ...] = (
    (236, 196, 170),
    (226, 180, 150),
    (212, 164, 130),
    (190, 140, 106),
    (164, 116, 86),
    (138, 96, 72),
)
HAIRS: tuple[Colour, ...] = ((30, 24, 22), (52, 36, 28), (84, 56, 38), (122, 80, 48), (178, 138, 84), (110, 54, 34))
CLOTHES: tuple[Colour, ...] = (
    (62, 96, 148),
    (168, 66, 62),
    (74, 128, 98),
    (212, 170, 84),
    (110, 86, 140),
    (60, 68, 84),
    (196, 122, 88),
    (92, 150, 168),
    (206, 204, 196),
    (140, 60, 96),
)


LONG = 60.0
"""Hair that hangs further than this has a back part, in pixels of the face model's frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What does not change about a pupil."""

    person: Plane
    """Coefficients of the face, shape (modes,)."""

    skin: Colour
    hair: Colour
    clothes: Colour

    length: float
    """How far down the hair hangs, in pixels of the face model's frame."""

    volume: float
    """How far the hair stands off the head, in pixels of the face model's frame."""

    fringe: float
    """How far the hair comes down the forehead, in pixels of the face model's frame."""

    parting: float
    """Where the hair parts, from -1 (left) to 1 (right)."""

    mirrored: bool
    """Whether the face is drawn the other way round."""

    grain: int
    """Seed of the hair's strands."""


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A head ready to be laid over a background."""

    colour: npt.NDArray[np.uint8]
    """RGB times opacity, shape (height, width, 3)."""

    through: npt.NDArray[np.uint8]
    """How much of the background shows, 0 to 255, shape (height, width, 3)."""


def invent_look(model: FaceModel, rng: np.random.Generator, index: int) -> Look:
    """Make up a pupil; neighbours in *index* differ in skin, hair and clothes."""
    style = (index * 5 + int(rng.integers(2))) % 6
    # Short, short and high, bob, long, long and full, cropped.
    length, volume, fringe = (
        (38.0, 4.0, 5.0),
        (34.0, 7.0, 8.0),
        (78.0, 6.0, 9.0),
        (118.0, 5.0, 3.0),
        (110.0, 9.0, 5.0),
        (30.0, 2.0, 2.0),
    )[style]
    skin = (0, 3, 1, 4, 0, 2, 5, 1, 3, 2, 0, 4)[(index + int(rng.integers(2))) % 12]
    # Fair hair goes with fair skin.
    hair = int(rng.integers(0, len(HAIRS) if skin < 3 else 3))  # noqa: PLR2004
    return Look(
        person=model.invent(rng),
        skin=SKINS[skin],
        hair=HAIRS[hair],
        clothes=CLOTHES[index * 3 % len(CLOTHES)],
        length=length + float(rng.uniform(-3, 3)),
        volume=volume + float(rng.uniform(-1, 1)),
        fringe=fringe + float(rng.uniform(-1.5, 1.5)),
        parting=float(rng.uniform(-0.8, 0.8)),
        mirrored=bool(rng.integers(2)),
        grain=int(rng.integers(1 << 30)),
    )


def head_sprite(model: FaceModel, look: Look, emotion: Emotion, scale: float) -> Sprite:
    """Paint one head.

    Args:
        model: Where the face comes from.
        look: Whose head.
        emotion: What the face shows.
        scale: Pixels of the picture for a pixel of the face model's frame.
    """
    width, height = round(WIDTH * scale), round(HEIGHT * scale)
    # Painted at twice the size and shrunk, for smooth edges.
    across = (np.arange(2 * width, dtype=np.float32) + 0.5) / (2 * scale) + LEFT - 0.5
    down = (np.arange(2 * height, dtype=np.float32) + 0.5) / (2 * scale) + TOP - 0.5
    x, y = np.meshgrid(across, down)
    face = model.draw(look.person, emotion, np.float32(95) - x if look.mirrored else x, y)

    colour = np.zeros((*x.shape, 3), np.float32)
    alpha = np.zeros(x.shape, np.float32)
    strands = _strands(x, y, look)
    alpha = _paint(colour, alpha, _hair_colour(look, strands, 0.62), _back_hair(x, y, look, strands))
    skin = _skin_picture(face, look)
    # Hanging hair hides where the neck ends; a collar does so higher up.
    end = 107 if look.length < LONG else 116
    neck = _box(x, y, 48, 92, 17, 32) * np.clip((end - y) / 6, 0, 1)
    shade = np.clip(0.62 + 0.3 * (y - 88) / 30, 0.62, 0.86)[..., None]
    alpha = _paint(colour, alpha, np.array(look.skin, np.float32) * shade, neck)
    if look.length < LONG:
        for side in (-1, 1):
            ear = _ellipse(x, y, 48 + side * 38.0, 47, 6.5, 11)
            alpha = _paint(colour, alpha, np.array(look.skin, np.float32) * np.float32(0.78), ear)
    skull = np.maximum(_ellipse(x, y, 48, 36, 37, 46), cv2.GaussianBlur(face.oval, (0, 0), max(0.5, 1.2 * scale)))
    alpha = _paint(colour, alpha, skin, skull)
    alpha = _paint(colour, alpha, _hair_colour(look, strands, 1.0), _front_hair(x, y, look, strands))

    small = cv2.resize(np.dstack([colour, alpha[..., None] * 255]), (width, height), interpolation=cv2.INTER_AREA)
    whole = np.clip(np.round(small), 0, 255).astype(np.uint8)
    return Sprite(np.ascontiguousarray(whole[..., :3]), np.repeat(255 - whole[..., 3:], 3, axis=2))


def _paint(colour: Picture, alpha: Plane, paint: Picture, mask: Plane) -> Plane:
    """Lay *paint* over premultiplied *colour* where *mask* is; return the new opacity."""
    colour *= 1 - mask[..., None]
    colour += paint * mask[..., None]
    return np.asarray(alpha * (1 - mask) + mask, np.float32)


def _soft(distance: Plane, width: float = 0.8) -> Plane:
    """Turn a signed distance (positive inside) into a mask whose edge is *width* pixels of the frame."""
    return np.asarray(np.clip(distance / width + 0.5, 0, 1), np.float32)


def _ellipse(x: Plane, y: Plane, cx: float, cy: float, rx: float, ry: float) -> Plane:
    return _soft(_inside(x, y, cx, cy, rx, ry))


def _inside(x: Plane, y: Plane, cx: float | Plane, cy: float, rx: float, ry: float) -> Plane:
    """Return about how far inside an ellipse each pixel is, in pixels of the frame."""
    radius = np.sqrt(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2)
    return np.asarray((1 - radius) * min(rx, ry), np.float32)


def _box(x: Plane, y: Plane, cx: float, cy: float, rx: float, ry: float) -> Plane:
    return _soft(np.minimum(rx - np.abs(x - cx), ry - np.abs(y - cy)), 2.0)


def _strands(x: Plane, y: Plane, look: Look) -> Plane:
    """Return noise in about [-1, 1] that runs along hair falling from the parting."""
    rng = np.random.default_rng(look.grain)
    noise = cv2.GaussianBlur(rng.normal(size=(24, 256)).astype(np.float32), (0, 0), 1.0)
    table = noise / (np.std(noise) * 2)
    cx, cy = 48 + 14 * look.parting, 0.0
    angle = np.arctan2(x - cx, y - cy + 30)
    reach = np.hypot(x - cx, y - cy + 20)
    columns = ((angle / np.pi + 1) * 127.5).astype(np.float32)
    rows = np.clip(reach / 8, 0, 23).astype(np.float32)
    return np.asarray(np.clip(cv2.remap(table, columns, rows, cv2.INTER_LINEAR), -1, 1), np.float32)


def _hair_colour(look: Look, strands: Plane, light: float) -> Picture:
    tone = light * (1 + 0.22 * strands)
    return np.asarray(np.array(look.hair, np.float32) * tone[..., None] + 6, np.float32)


def _hanging(x: Plane, y: Plane, look: Look, strands: Plane) -> Plane:
    """Return about how far inside hanging hair each pixel is, in pixels of the frame."""
    half = np.maximum(38 + look.volume - 0.0016 * np.maximum(y - 40, 0) ** 2, 24)
    hang = np.minimum(half - np.abs(x - 48), look.length - y + 3 * strands) + 1.0 * strands
    return np.asarray(np.minimum(hang, y - 30), np.float32)


def _cap(x: Plane, y: Plane, look: Look, strands: Plane) -> Plane:
    """Return about how far inside the hair on the top of the head each pixel is, in pixels of the frame."""
    return _inside(x, y, 48, 32, 38 + look.volume, 50 + look.volume) + np.float32(0.8) * strands


def _back_hair(x: Plane, y: Plane, look: Look, strands: Plane) -> Plane:
    """Return the hair behind the head and neck."""
    if look.length < LONG:
        return np.zeros(x.shape, np.float32)
    top = np.minimum(_cap(x, y, look, strands), 40 - y)
    return _soft(np.maximum(_hanging(x, y, look, strands), top), 2.0)


def _front_hair(x: Plane, y: Plane, look: Look, strands: Plane) -> Plane:
    """Return the hair over the top of the head and down its sides."""
    # The face looks out of an opening that the parting pulls aside and the fringe lowers.
    lean = np.float32(8 * look.parting) * np.clip((40 - y) / 40, 0, 1)
    opening = _inside(x, y, np.float32(48) + lean.astype(np.float32), 68, 34.5, 70 - look.fringe)
    if look.length < LONG:
        hair = np.minimum(_cap(x, y, look, strands), look.length + 6 + 4 * strands - y)
    else:
        hair = np.maximum(_hanging(x, y, look, strands), np.minimum(_cap(x, y, look, strands), 40 - y))
    return _soft(np.minimum(hair, -opening + 1.6 * strands), 1.6)


def _skin_picture(face: FacePicture, look: Look) -> Picture:
    """Turn lightness into the colours of skin, lips, teeth and eyes."""
    base = np.array(look.skin, np.float32)
    stops = np.array((-3.4, -1.5, 0.0, 1.6, 3.0), np.float32)
    ramp = np.stack(
        [base * 0.10 + (4, 2, 2), base * (0.56, 0.49, 0.46), base * 0.94, base * 1.08 + 6, base * 1.16 + 18]
    )
    picture = np.stack([np.interp(face.light, stops, ramp[:, channel]) for channel in range(3)], axis=-1)
    grey = picture.mean(axis=2, keepdims=True)
    lips = (cv2.GaussianBlur(face.lips - face.mouth, (0, 0), 1.0) * 0.75)[..., None]
    picture *= 1 - lips * np.array((0.02, 0.20, 0.16), np.float32)
    pale = np.maximum(face.mouth * 0.75, face.eyes * 0.85)[..., None]
    picture += (grey - picture) * pale
    return np.asarray(np.clip(picture, 0, 255), np.float32)
