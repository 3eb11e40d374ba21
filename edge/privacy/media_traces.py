"""Whether bytes hold pictures or sound: the marks of media files, and media that are known.

A few bytes may look like anything, so a mark is at least five bytes long, and known media count from three words of
eight bytes in a row that are not plain (a flat wall and silence are everywhere).
"""

import re
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

_MARKS = {
    "JPEG": rb"\xff\xd8\xff(?:\xe0..JFIF\0|\xe1..Exif\0|\xdb\0[\x43\x84]\0)|/9j/4AAQSkZJRg|/9j/2wBD",
    "PNG": rb"\x89PNG\r\n\x1a\n|iVBORw0KGgo",
    "GIF": rb"GIF8[79]a",
    "WebP": rb"RIFF....WEBP",
    "BMP": rb"BM....\0\0\0\0[\x36\x46\x7a\x8a]\0\0\0",
    "WAV": rb"RIFF....WAVE|UklGR[\w+/]{6}XQVZF",
    "AVI": rb"RIFF....AVI ",
    "Ogg": rb"OggS\0[\0-\x07]|T2dnUwA",
    "FLAC": rb"fLaC\0\0\0\x22",
    "MP3": rb"ID3[\x02-\x04]\0[\0-\xff]{5}(?:T[A-Z0-9]{3}|PRIV|APIC)",
    "MP4": rb"....ftyp(?:isom|iso[2-6]|mp4[12]|M4[AV] |avc1|qt  |3gp[4-9]|heic|avif)",
    "Matroska": rb"\x1a\x45\xdf\xa3[\x80-\xff\x01-\x7f].{0,60}(?:webm|matroska)",
    "H.264": rb"\0\0\0\x01\x67[\x42\x4d\x58\x64][\0\x40\xc0\xe0][\x0a-\x34]",
    "NumPy": rb"\x93NUMPY[\x01-\x03]",
}
_MARK = re.compile(b"|".join(b"(%s)" % pattern for pattern in _MARKS.values()), re.DOTALL)

_WORD = 8
_RUN = 3
_LEAST_DIFFERENT = 4
SHORTEST = _WORD * (_RUN + 1) - 1
"""Bytes of known media in a row that are always found, where they are not plain."""


def media_mark(data: bytes) -> str | None:
    """Return the kind of media whose mark stands in the bytes, base64 included; ``None`` without one."""
    found = _MARK.search(data)
    if found is None:
        return None
    return next(name for name, group in zip(_MARKS, found.groups(), strict=True) if group is not None)


class KnownMedia:
    """Pictures and sound that a program was shown, to be looked for in what it writes and sends.

    Args:
        pieces: Arrays as they lie in memory: pixels, samples, in each format they may be handed on in.
    """

    def __init__(self, pieces: Iterable[npt.NDArray[np.generic]]) -> None:
        words = [_words(np.frombuffer(piece.tobytes(), np.uint8)) for piece in pieces]
        known = np.unique(np.concatenate(words)) if words else np.empty(0, np.uint64)
        self._known = known[_varied(known)]

    def __len__(self) -> int:
        """Return how many different words of eight bytes are known."""
        return len(self._known)

    def found_in(self, data: bytes) -> int | None:
        """Return the offset of the first piece of known media in the bytes; ``None`` without one."""
        raw = np.frombuffer(data, np.uint8)
        first = [
            phase + _WORD * start
            for phase in range(min(_WORD, len(raw)))
            if (start := self._run(_words(raw[phase:]))) is not None
        ]
        return min(first, default=None)

    def _run(self, words: npt.NDArray[np.uint64]) -> int | None:
        """Return where :data:`_RUN` known words follow one another."""
        if len(words) < _RUN or not len(self._known):
            return None
        place = np.minimum(np.searchsorted(self._known, words), len(self._known) - 1)
        runs = np.convolve(self._known[place] == words, np.ones(_RUN, np.int64), "valid") == _RUN
        return int(runs.argmax()) if runs.any() else None


def _words(raw: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    return np.frombuffer(raw[: len(raw) // _WORD * _WORD].tobytes(), np.uint64)


def _varied(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Return which words have enough different bytes to be told from what is everywhere, shape (len(words),)."""
    ordered = np.sort(words.view(np.uint8).reshape(-1, _WORD), axis=1)
    return np.asarray((np.diff(ordered.astype(np.int16), axis=1) != 0).sum(axis=1) + 1 >= _LEAST_DIFFERENT)
