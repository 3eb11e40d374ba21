"""Pictures and sound in bytes."""

import base64
import io
import wave
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.privacy.media_traces import SHORTEST, KnownMedia, media_mark

PICTURE = np.random.default_rng(7).integers(0, 256, (48, 64, 3), np.uint8)


def encoded(ending: str) -> bytes:
    """Return the picture as a file."""
    return bytes(cv2.imencode(ending, PICTURE)[1].tobytes())


def sound() -> bytes:
    """Return a second of sound as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, 16000, 0, "NONE", "not compressed"))
        out.writeframes(bytes(32000))
    return file.getvalue()


def array() -> bytes:
    """Return the picture as NumPy keeps it."""
    file = io.BytesIO()
    np.save(file, PICTURE)
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("JPEG", encoded(".jpg")),
        ("PNG", encoded(".png")),
        ("WebP", encoded(".webp")),
        ("BMP", encoded(".bmp")),
        ("WAV", sound()),
        ("NumPy", array()),
        ("Ogg", b"OggS\x00\x02" + bytes(20)),
        ("FLAC", b"fLaC\x00\x00\x00\x22"),
        ("MP4", b"\x00\x00\x00\x20ftypisom"),
        ("Matroska", b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm"),
        ("H.264", b"\x00\x00\x00\x01\x67\x42\xc0\x1f\xda"),
    ],
)
def test_media_files_are_known_by_their_mark(kind: str, data: bytes) -> None:
    """Wherever they begin."""
    assert media_mark(data) == kind
    assert media_mark(b"\x00\x01 some row of a database \xff" + data) == kind


@pytest.mark.parametrize(("kind", "data"), [("JPEG", encoded(".jpg")), ("PNG", encoded(".png")), ("WAV", sound())])
def test_media_files_are_known_in_base64(kind: str, data: bytes) -> None:
    """As they would travel in JSON."""
    assert media_mark(b'{"picture": "' + base64.b64encode(data) + b'"}') == kind


def test_a_program_and_chance_are_no_media() -> None:
    """Five bytes and more do not come about by themselves."""
    assert media_mark(Path(__file__).with_name("test_privacy_policy.py").read_bytes()) is None
    assert media_mark(np.random.default_rng(1).bytes(4_000_000)) is None


@given(
    start=st.integers(0, PICTURE.size - SHORTEST),
    before=st.binary(max_size=20),
    length=st.integers(SHORTEST, 200),
)
def test_any_stretch_of_known_media_is_found(start: int, before: bytes, length: int) -> None:
    """From any offset, at any offset, from the shortest stretch on."""
    piece = PICTURE.tobytes()[start : start + length]
    known = KnownMedia([PICTURE])

    found = known.found_in(before + piece)

    # Words of four equal bytes or fewer different ones are left out, which noise has almost never.
    assert found is not None
    assert found >= len(before) - 7


def test_what_is_plain_or_unknown_is_not_found() -> None:
    """Silence and flat walls are everywhere; other noise is not what was shown."""
    known = KnownMedia([PICTURE, np.zeros(5000, np.float32), np.full((50, 50, 3), 200, np.uint8)])

    assert known.found_in(bytes(5000)) is None
    assert known.found_in(b"\xc8" * 5000) is None
    assert known.found_in(np.random.default_rng(8).bytes(500_000)) is None
    assert known.found_in(b"") is None
    assert KnownMedia([]).found_in(PICTURE.tobytes()) is None


def test_samples_are_found_as_they_lie_in_memory() -> None:
    """Sound as 32-bit floats and as 16-bit integers."""
    samples = np.sin(np.arange(800) * 0.3).astype(np.float32) * 0.4
    short = np.round(samples * 32767).astype(np.int16)
    known = KnownMedia([samples, short])

    assert len(known) > 100
    assert known.found_in(b"x" + samples[100:120].tobytes()) is not None
    assert known.found_in(b"xyz" + short[300:330].tobytes()) is not None
