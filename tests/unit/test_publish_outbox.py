"""Messages that wait on disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import StoreError
from edge.publish.outbox import Outbox


def payloads(outbox: Outbox) -> list[bytes]:
    """Return all that waits."""
    return [message.payload for message in outbox.peek(1000)]


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """An outbox for four messages."""
    box = Outbox(tmp_path / "state" / "outbox.db", capacity=4)
    yield box
    box.close()


def test_messages_outlive_the_process(tmp_path: Path) -> None:
    """What was put and not removed is there, in order, when the file is opened again; new keys come after it."""
    first = Outbox(tmp_path / "o.db")
    for number in range(5):
        first.put("t", b"%d" % number)
    first.remove([first.peek(1)[0].key])
    first.close()
    second = Outbox(tmp_path / "o.db")
    second.put("t", b"new")
    waiting, keys = payloads(second), [message.key for message in second.peek(1000)]
    second.close()

    assert waiting == [b"1", b"2", b"3", b"4", b"new"]
    assert keys == sorted(set(keys))


def test_full_outbox_forgets_the_oldest(outbox: Outbox) -> None:
    """At capacity the oldest goes, and is counted."""
    for number in range(6):
        outbox.put("t", b"%d" % number)

    assert payloads(outbox) == [b"2", b"3", b"4", b"5"]
    assert (outbox.stats().waiting, outbox.stats().dropped) == (4, 2)


@settings(deadline=None)
@given(st.lists(st.integers(0, 3)), st.integers(1, 5))
def test_nothing_vanishes_uncounted(steps: list[int], capacity: int) -> None:
    """Messages put are waiting, removed or counted as dropped, and always in order."""
    box = Outbox(None, capacity=capacity)
    put = removed = 0
    for step in steps:
        if step:
            box.put("t", b"%d" % put)
            put += 1
        elif waiting := box.peek(1):
            box.remove([waiting[0].key])
            removed += 1
    stats, order = box.stats(), [int(payload) for payload in payloads(box)]
    box.close()

    assert put == stats.waiting + removed + stats.dropped
    assert order == list(range(put - stats.waiting, put))


def test_peek_goes_on_after_a_key(outbox: Outbox) -> None:
    """A reader that remembers the last key gets what came after it, no more than it asked for."""
    for number in range(4):
        outbox.put("t", b"%d" % number)
    first = outbox.peek(2)

    assert [message.payload for message in outbox.peek(1, after=first[-1].key)] == [b"2"]


def test_damaged_file_is_moved_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is no database is kept under another name, said once, and a new one begun."""
    path = tmp_path / "o.db"
    path.write_bytes(b"not a database " * 100)
    box = Outbox(path)
    box.put("t", b"x")
    waiting = payloads(box)
    box.close()

    assert waiting == [b"x"]
    assert [p.read_bytes()[:5] for p in tmp_path.glob("o.db.damaged-*")] == [b"not a"]
    assert len(caplog.records) == 1


def test_damaged_pages_are_found(tmp_path: Path) -> None:
    """A database with a page overwritten is not trusted with alerts."""
    path = tmp_path / "o.db"
    box = Outbox(path)
    for _ in range(100):
        box.put("t", b"x" * 500)
    box.close()
    data = bytearray(path.read_bytes())
    data[4096 * 6 : 4096 * 7] = b"\xa5" * 4096  # neither the first page that is read, nor the last
    path.write_bytes(data)
    again = Outbox(path)
    again.close()

    assert list(tmp_path.glob("o.db.damaged-*"))


def test_folder_that_is_no_folder(tmp_path: Path) -> None:
    """A path that can't be made is an error of one line."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"outbox .* can't be opened"):
        Outbox(tmp_path / "file" / "o.db")


def test_full_disk_keeps_messages_in_memory_in_order(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    """While the disk refuses, messages wait in memory behind those on disk; said once, and bounded all the same."""
    outbox.put("t", b"0")
    pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]  # noqa: SLF001 - the disk, made small
    outbox._db.execute(f"PRAGMA max_page_count={pages}")  # noqa: SLF001
    for number in range(1, 4):
        outbox.put("t", b"%d" % number * 5000)
    full, stats = [payload[:1] for payload in payloads(outbox)], outbox.stats()
    outbox._db.execute("PRAGMA max_page_count=100000")  # noqa: SLF001
    outbox.put("t", b"4")

    assert full == [b"0", b"1", b"2", b"3"]
    assert (stats.waiting, stats.in_memory) == (4, 3)
    assert [payload[:1] for payload in payloads(outbox)] == [b"1", b"2", b"3", b"4"]
    assert [record.levelname for record in caplog.records] == ["WARNING", "DEBUG", "DEBUG"]


def test_every_message_is_synced(outbox: Outbox) -> None:
    """The file is written ahead and fully synchronised, so that a power cut loses nothing that was put."""
    db = outbox._db  # noqa: SLF001 - there is no other way to see it

    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
