"""The share of each emotion in each clip of a folder: the form of the paper's table 1."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE
from rich.table import Table

from edge.errors import MediaError, SourceMissingError
from edge.observation import Emotion, EmotionDistribution

ENDINGS = frozenset({".mp4", ".mkv", ".webm", ".avi", ".mov", ".wav", ".flac", ".ogg", ".mp3", ".m4a"})


@dataclass(frozen=True, slots=True)
class ClipShares:
    """What one clip showed, voices and faces together."""

    name: str

    shares: EmotionDistribution | None
    """``None`` without evidence, or when it could not be read."""

    problem: str | None = None
    """What was wrong with it, in one line."""


def find_clips(folder: Path) -> list[Path]:
    """Return a folder's clips in order of name.

    Raises:
        SourceMissingError: There is no such folder, or no clip in it.
    """
    clips = sorted(path for path in folder.glob("*") if path.suffix.lower() in ENDINGS)
    if not clips:
        raise SourceMissingError(f"{folder}: no clip here; looked for {' '.join(sorted(ENDINGS))}")
    return clips


def clip_shares(path: Path, read: Callable[[Path], tuple[EmotionDistribution | None, str | None]]) -> ClipShares:
    """Analyse one clip; one that can't be read has its problem in place of shares.

    Args:
        path: The clip.
        read: Returns its shares and, where it is damaged, until when it could be read.
    """
    try:
        return ClipShares(path.name, *read(path))
    except (MediaError, SourceMissingError) as error:
        return ClipShares(path.name, None, str(error))


def shares_table(rows: list[ClipShares]) -> Table:
    """Return a row a clip, a column an emotion."""
    table = Table(title="Share of each emotion", title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("clip", no_wrap=True)
    for emotion in Emotion:
        table.add_column(emotion.value, justify="right")
    table.add_column("note")
    for row in rows:
        cells = ["-"] * len(Emotion) if row.shares is None else [f"{p:.0%}" for p in row.shares.probabilities]
        note = row.problem or ("not enough evidence" if row.shares is None else "")
        table.add_row(row.name, *cells, note)
    return table
