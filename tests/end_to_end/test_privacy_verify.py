"""`edge privacy verify` on the real service, and on one that leaks."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.errors import EdgeError, SourceMissingError
from edge.verify import LEAST_S, Verification, report_json, report_text, verify

LEAK = """
import itertools, os, socket, sqlite3, sys
from pathlib import Path
import cv2
from edge.capture.lesson import read_lesson
from edge.capture.simulated import SimulatedClassroom
from edge.config import read_settings
from edge.media import Frame

settings = read_settings(Path(sys.argv[1]))
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
items = list(itertools.islice(SimulatedClassroom(lesson=read_lesson("demo"), fps=10.0).items(), 60))
frame = next(item for item in items if isinstance(item, Frame))
with open("frame.raw", "wb") as file:
    file.write(frame.pixels[10:12].tobytes())
for item in items:
    if not isinstance(item, Frame):
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(item.samples.tobytes(), ("127.0.0.1", 5004))
with sqlite3.connect(settings.state) as db:
    db.execute("CREATE TABLE summaries (face BLOB)")
    small = cv2.imencode(".jpg", cv2.resize(frame.pixels, (64, 36)))[1].tobytes()
    db.execute("INSERT INTO summaries VALUES (?)", (small,))
sys.exit("edge: no camera at 0")
"""


@pytest.fixture(autouse=True)
def _can_trace() -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed (apt install strace)")
    if subprocess.run([strace, "-o", "/dev/null", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let strace trace")


def described(found: Verification) -> str:
    """Return why it failed."""
    return "\n".join(f"{check.ok} {check.name}: {check.detail}" for check in found.checks)


def test_the_service_keeps_raw_media_to_itself() -> None:
    """A simulated class, everything on: its pixels and samples are in nothing that is written or sent."""
    found = verify(None, LEAST_S)

    assert found.proved, described(found)
    assert found.fault is None
    assert found.simulated
    assert found.seconds >= LEAST_S
    assert {"files", "sockets", "hidden ways", "messages", "media files", "known media", "amount", "stored values"} < {
        check.name for check in found.checks
    }
    assert any("edge.db" in target for target, _ in found.amounts)
    assert report_text(found).endswith("proved: no raw media was written or sent")
    assert json.loads(json.dumps(report_json(found)))["proved"]


def test_leaks_are_found_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame's rows in a file, sound to another address, a small JPEG in the database: each by what gives it away."""
    monkeypatch.chdir(tmp_path)

    found = verify(None, 100.0, command=(sys.executable, "-c", LEAK))  # it ends by itself

    faults = {check.name: check.detail for check in found.checks if not check.ok}
    assert not found.proved
    assert found.fault == f"files: {tmp_path}/frame.raw: opens for writing it"
    assert faults["sockets"] == "udp:127.0.0.1:5004: sends to it"
    assert "udp:127.0.0.1:5004" in faults["amount"]
    assert f"{tmp_path}/frame.raw: holds pixels or samples" in faults["known media"] + faults["files"]
    assert faults["known media"].endswith("(and 1 more)")
    assert "edge.db" in faults["media files"]
    assert "JPEG" in faults["media files"]
    assert faults["stored values"].startswith("edge.db, table summaries: ")
    # All quiet would be no proof either.
    assert report_text(found).endswith(f"not proved: files: {tmp_path}/frame.raw: opens for writing it")
    assert faults["worked"].startswith("the service ended with exit code 1: edge: no camera at 0")


def test_a_service_that_does_not_start_is_told_with_its_last_words() -> None:
    """One line."""
    with pytest.raises(EdgeError, match="the service did not start: no such thing"):
        verify(None, LEAST_S, command=("sh", "-c", "echo no such thing; exit 2"))


def test_without_strace_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says what to do."""
    monkeypatch.setenv("PATH", "")

    with pytest.raises(SourceMissingError, match=r"strace: not installed.*apt install strace"):
        verify(None, LEAST_S)


def test_where_tracing_is_forbidden_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As in a container without the capability."""
    fake = tmp_path / "strace"
    fake.write_text("#!/bin/sh\necho 'strace: ptrace(PTRACE_TRACEME): Operation not permitted' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SourceMissingError, match=r"may not trace here.*Operation not permitted.*SYS_PTRACE"):
        verify(None, LEAST_S)
