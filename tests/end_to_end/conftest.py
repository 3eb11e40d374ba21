"""The command line as a user meets it."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

SHARED_MEDIA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "media"


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str


Edge = Callable[..., Result]


@pytest.fixture
def edge(tmp_path: Path) -> Edge:
    """Run `edge ARGUMENTS` as its own process in an empty folder."""

    def run(*arguments: object, cwd: Path = tmp_path) -> Result:
        command = [sys.executable, "-m", "edge", *(str(argument) for argument in arguments)]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=110, check=False)
        return Result(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def media() -> Path:
    """The folder of real clips."""
    if not SHARED_MEDIA.is_dir():
        pytest.skip("the real clips are not on this machine")
    return SHARED_MEDIA
