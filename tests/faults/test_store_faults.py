"""What a killed program, a full, locked, damaged or read-only disk does to lessons: nothing is lost that was kept."""

import logging
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from edge.errors import StoreError
from edge.role import Role
from edge.store.database import BUSY_MS
from edge.store.store import Store
from edge.summary import Feedback, Verdict, WindowSummary
from tests.builders import EPOCH, summary
from tests.outgoing import alert
from tests.stored import dice_of, ended, full_window, lesson, some_usual

ROOT = Path(__file__).resolve().parents[2]
KILLS = 32

Disk = Callable[[Path], AbstractContextManager[tuple[Callable[[], None], Callable[[], None]]]]
"""Makes a folder such that it can be filled and freed."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "state" / "edge.db"


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """Make a folder a small disk of its own, or skip the test where that is not allowed."""
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root may mount")
    folder.mkdir(parents=True, exist_ok=True)
    if subprocess.run([mount, "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("this machine doesn't let root mount")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def tiny_disk(folder: Path) -> Iterator[tuple[Callable[[], None], Callable[[], None]]]:
    """Yield how to fill a disk of two megabytes and how to free it again."""
    with mounted(folder, "size=2m"):
        ballast = folder / "ballast"

        def fill() -> None:
            size = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
            ballast.write_bytes(bytes(max(0, size - 16_384)))

        yield fill, ballast.unlink


@contextmanager
def small_files(folder: Path) -> Iterator[tuple[Callable[[], None], Callable[[], None]]]:
    """Yield how to let no file grow, and how to let them again."""
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill() -> None:
        largest = max(piece.stat().st_size for piece in folder.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 16_384, hard))

    def free() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))

    try:
        yield fill, free
    finally:
        free()


def windows(count: int, first: int = 1) -> list[WindowSummary]:
    """Return windows of students, two seconds apart."""
    return [summary(2.0 * number, 0.25) for number in range(first, first + count)]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was said aloud."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


WRITER = """
import os, sys
from datetime import timedelta
from pathlib import Path
from edge.role import Role
from edge.store.store import Store
from edge.summary import Feedback, Verdict
from tests.builders import EPOCH, summary
from tests.outgoing import alert
from tests.stored import dice_of, full_window, lesson, some_usual

def write(path, name):
    dice = dice_of(name)
    store = Store(Path(path))
    def put(item, line):
        store.accept(item)
        assert not store.stats().waiting, store.stats()
        os.write(1, f"{line}\\n".encode())
    start = EPOCH + timedelta(hours=int(name))
    put(lesson(name, at=start), "lesson")
    for number in range(1, 100_000):
        window = full_window(2.0 * number, Role.STUDENTS, dice=dice, usual=some_usual(dice), start=start)
        put(window, f"window {number}")
        if number % 3 == 0:
            put(alert(f"{name}-{number}"), f"alert {name}-{number}")
            put(Feedback(f"{name}-{number}", Verdict.SEEN, start), f"feedback {name}-{number}")

# A fork costs no imports, so that many can be killed in a few seconds.
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        write(*line.strip().split("\\t"))
    os.write(1, f"pid {child}\\n".encode())
    os.waitpid(child, 0)
    os.write(1, b"dead\\n")
"""


def test_killed_at_any_moment_nothing_acknowledged_is_lost(path: Path) -> None:
    """A writer that is killed again and again leaves a sound file with all that it said was kept."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    dice = dice_of("kills")
    said: dict[str, set[str]] = {}
    with subprocess.Popen(
        [sys.executable, "-c", WRITER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=ROOT,
    ) as nursery:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        for number in range(KILLS):
            print(path, number, sep="\t", file=nursery.stdin, flush=True)
            acknowledged = said[str(number)] = set()
            pid, left = 0, dice.randrange(60)
            for line in nursery.stdout:
                if line.startswith("pid"):
                    pid = int(line.split()[1])
                elif line == "dead\n":
                    break
                else:
                    acknowledged.add(line.strip())
                if pid and len(acknowledged) >= left:
                    os.kill(pid, 9)
                    pid = 0
        nursery.stdin.close()
    store = Store(path)
    for name, lines in said.items():
        kept = {f"window {round(window.closed_s / 2)}" for window in store.summaries(name, Role.STUDENTS)}
        kept |= {f"alert {one.id}" for one in store.alerts(name)}
        kept |= {f"feedback {one.alert_id}" for one in store.feedback(name)}
        kept |= {"lesson" for one in store.lessons() if one.id == name}

        assert lines <= kept
    store.close()
    db = sqlite3.connect(path)
    checked = db.execute("PRAGMA integrity_check").fetchall(), db.execute("PRAGMA foreign_key_check").fetchall()
    db.close()

    assert checked == ([("ok",)], [])
    assert sum(map(len, said.values())) > KILLS
    assert not list(path.parent.glob("*damaged*"))


@pytest.mark.parametrize("disk", [tiny_disk, small_files])
def test_full_disk_does_not_stop_the_lesson(path: Path, caplog: pytest.LogCaptureFixture, disk: Disk) -> None:
    """On a full disk accepting goes on and says so once; with space again, what waited is written."""
    with disk(path.parent) as (fill, free):
        store = Store(path)
        store.accept(lesson())
        sent = windows(300)
        for window in sent[:50]:
            store.accept(window)
        before = store.stats()
        fill()
        for window in sent[50:299]:
            store.accept(window)
        store.accept(alert())
        full, readable = store.stats(), store.summaries("one", Role.STUDENTS)
        free()
        for _ in range(9):
            store.accept(sent[-1])
        after, found = store.stats(), store.summaries("one", Role.STUDENTS)
        events = store.alerts("one")
        store.close()

    assert before.error is None
    assert full.waiting > 0
    assert full.lost == 0
    assert "can't be written" in str(full.error)
    assert "\n" not in str(full.error)
    assert readable == sent[: len(readable)]
    assert len(readable) >= 50
    assert (after.waiting, after.lost, after.error) == (0, 0, None)
    assert found == sent
    assert events == [alert()]
    first, last = warnings(caplog)
    assert "the lesson goes on" in first
    assert "is written again" in last


def limit(store: Store, pages: int | None = None) -> None:
    """Let the database hold as many pages as it has, or *pages*."""
    db: sqlite3.Connection = store._database._db  # noqa: SLF001 - the disk, made small
    pages = pages or int(db.execute("PRAGMA page_count").fetchone()[0])
    db.execute(f"PRAGMA max_page_count={pages}")


def test_lesson_begun_on_a_full_disk_is_stored_later(path: Path) -> None:
    """A lesson whose beginning could not be written is written when there is space, before what belongs to it."""
    store = Store(path)
    limit(store)
    long = replace(lesson(), title="x" * 20_000)
    store.accept(long)
    store.accept(summary(10.0, 0.25))
    before, error = store.lessons(), store.stats().error
    limit(store, 100_000)
    store.accept(ended(long))
    after, kept = store.lessons(), store.summaries("one", Role.STUDENTS)
    store.close()

    assert before == []
    assert "free some space" in str(error)
    assert after == [ended(long)]
    assert kept == [summary(10.0, 0.25)]


def test_too_much_to_wait_costs_the_oldest_windows_first(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What waits is bounded: the oldest windows go and are counted, alerts and lessons as the last."""
    store = Store(path, most_waiting=10)
    limit(store)
    store.accept(replace(lesson(), title="x" * 20_000))
    store.accept(alert("a"))
    for window in windows(30):
        store.accept(window)
    full = store.stats()
    limit(store, 100_000)
    store.accept(alert("b"))
    alerts, kept = store.alerts("one"), store.summaries("one", Role.STUDENTS)
    store.close()

    assert (full.waiting, full.lost) == (10, 22)
    assert [one.id for one in alerts] == ["a", "b"]
    assert kept == windows(7, 24)
    assert "23 items were lost" in caplog.text


def test_what_still_waits_at_the_end_is_said(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Closing on a disk that is full says what is lost, and closing on one that is free again loses nothing."""
    lost = Store(path)
    limit(lost)
    lost.accept(replace(lesson(), title="x" * 20_000))
    lost.close()
    kept = Store(path)
    limit(kept)
    kept.accept(replace(lesson(), title="x" * 20_000))
    for window in windows(200):
        kept.accept(window)
    limit(kept, 100_000)
    kept.close()
    reader = Store(path)
    found = reader.summaries("one", Role.STUDENTS)
    reader.close()

    assert "1 items are lost" in caplog.text
    assert found == windows(200)


LOCK = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


def test_locked_database_does_not_hold_up_the_pipeline(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While another program writes, an item waits for it once, briefly, and then in memory; nothing is lost."""
    store = Store(path)
    db: sqlite3.Connection = store._database._db  # noqa: SLF001 - how long it waits

    def patience() -> int:
        return int(db.execute("PRAGMA busy_timeout").fetchone()[0])

    store.accept(lesson())
    before = patience()
    with subprocess.Popen(
        [sys.executable, "-c", LOCK, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        for window in windows(50):
            store.accept(window)
        locked, during = store.stats(), patience()
        with pytest.raises(StoreError, match="close the program that is writing to it"):
            store.delete_older_than(30)
        other.stdin.close()
    store.accept(alert())
    found, after, stats = store.summaries("one", Role.STUDENTS), patience(), store.stats()
    store.close()

    assert (before, during, after) == (BUSY_MS, 0, BUSY_MS)
    assert locked.waiting == 50
    assert "close the program" in str(locked.error)
    assert found == windows(50)
    assert (stats.waiting, stats.lost, stats.error) == (0, 0, None)
    assert len(warnings(caplog)) == 2


def spoil(path: Path, start: int) -> None:
    """Overwrite a file from a byte on."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xa5" * (size - start))


def test_damage_while_running_begins_anew(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A database that breaks under a running lesson is moved aside, and the lesson goes on in a new one."""
    dice = dice_of(1)
    usual = some_usual(dice)
    sent = [full_window(2.0 * number, Role.STUDENTS, dice=dice, usual=usual) for number in range(1, 301)]
    store = Store(path)
    store.accept(lesson())
    for window in sent[:-2]:
        store.accept(window)
    db: sqlite3.Connection = store._database._db  # noqa: SLF001 - so that the pages are in the file, and not in memory
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    db.execute("PRAGMA cache_size=0")
    spoil(path, 4096)
    for window in sent[-2:]:
        store.accept(window)
    store.accept(alert())
    store.accept(Feedback("a", Verdict.SEEN, EPOCH))
    after, lessons, stats = store.summaries("one", Role.STUDENTS), store.lessons(), store.stats()
    answers = store.feedback("one")
    store.close()

    assert [window.closed_s for window in after] == [window.closed_s for window in sent[-2:]]
    assert all(window.standings for window in after)
    assert lessons == [lesson()]
    assert len(answers) == 1
    assert stats.error is None
    assert "was damaged" in str(stats.damage)
    (aside,) = path.parent.glob("edge.db.damaged-*")
    assert warnings(caplog) == [stats.damage]
    assert aside.name in caplog.text


@pytest.mark.parametrize("start", [0, 16, 100, 4096 * 2])
def test_damaged_file_is_moved_aside(path: Path, start: int, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is no sound database is kept under another name, a new one begun, and that is said once."""
    store = Store(path)
    store.accept(lesson())
    for window in windows(300):
        store.accept(window)
    store.close()
    spoil(path, start)
    again = Store(path)
    again.accept(lesson("two", at=EPOCH + timedelta(hours=1)))
    again.accept(summary(3700.0, 0.25))
    kept, stats = again.summaries("two", Role.STUDENTS), again.stats()
    again.close()

    assert kept == [summary(3700.0, 0.25)]
    assert (stats.waiting, stats.lost, stats.error) == (0, 0, None)
    assert len(list(path.parent.glob("edge.db.damaged-*"))) == 1
    assert warnings(caplog) == [stats.damage]


def test_file_cut_short_is_moved_aside(path: Path) -> None:
    """A database of which the end is missing, as after a bad copy, is damaged too."""
    store = Store(path)
    store.accept(lesson())
    for window in windows(300):
        store.accept(window)
    store.close()
    os.truncate(path, path.stat().st_size // 2)
    again = Store(path)
    again.accept(lesson("two", at=EPOCH + timedelta(hours=1)))
    kept, damage = [one.id for one in again.lessons()], again.stats().damage
    again.close()

    assert kept == ["two"]
    assert damage


def test_folder_that_can_only_be_read(path: Path) -> None:
    """In a folder that can't be written, opening is an error of one line that says what to do."""
    with mounted(path.parent, "size=2m"):
        Store(path).close()
        subprocess.run(["mount", "-o", "remount,ro", str(path.parent)], check=True)
        with pytest.raises(StoreError) as refused:
            Store(path)
        with pytest.raises(StoreError) as missing:
            Store(path.with_name("other.db"))

    for error in (refused, missing):
        assert "folder can be written" in str(error.value) or "let its folder be written" in str(error.value)
        assert "\n" not in str(error.value)


def test_folder_that_is_no_folder(tmp_path: Path) -> None:
    """A path that can't be made is an error of one line."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="can't be opened"):
        Store(tmp_path / "file" / "edge.db")
