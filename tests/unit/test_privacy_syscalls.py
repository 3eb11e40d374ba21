"""What a program did, read from a trace."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.privacy.syscalls import OPTIONS, Deed, Event, read_log

STRACE = shutil.which("strace")

PROGRAM = """
import mmap, os, socket, sys, tempfile, threading
listener = socket.create_server(("127.0.0.1", 0))
near = socket.create_connection(listener.getsockname())
far, _ = listener.accept()
near.sendall(b"hello\\x00\\xff")
bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
bound.bind(("127.0.0.1", 0))
bound.connect(("127.0.0.1", 9))
bound.send(b"connected")
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"addressed", ("127.0.0.1", 99))
def in_a_thread():
    with open("an odd, (name)", "wb", buffering=0) as file:
        file.write(b"\\xff\\xd8")
thread = threading.Thread(target=in_a_thread)
thread.start()
thread.join()
with open("mapped", "w+b") as file:
    file.truncate(4096)
    mmap.mmap(file.fileno(), 4096).close()
    os.sendfile(near.fileno(), file.fileno(), 0, 100)
os.rename("mapped", "renamed")
gone = os.open("gone", os.O_WRONLY | os.O_CREAT)
os.unlink("gone")
os.write(gone, b"unseen")
open("gone")
"""


def test_a_real_trace_says_what_a_program_did(tmp_path: Path) -> None:
    """Each way by which bytes leave a process is seen, with the bytes, in whichever thread, in order."""
    if STRACE is None:
        pytest.skip("strace is not installed (apt install strace)")
    command = [STRACE, *OPTIONS, "-o", str(tmp_path / "trace"), sys.executable, "-I", "-B", "-c", PROGRAM]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    if "Operation not permitted" in done.stderr:
        pytest.skip("this machine does not let strace trace")

    events = read_log(tmp_path.glob("trace.*"))

    here = str(tmp_path)
    files = [(e.deed, e.target.removeprefix(here), e.data) for e in events if e.target.startswith(here)]
    assert files == [
        (Deed.OPEN, "/an odd, (name)", b""),
        (Deed.WRITE, "/an odd, (name)", b"\xff\xd8"),
        (Deed.OPEN, "/mapped", b""),
        (Deed.MAP, "/mapped", b""),
        (Deed.OPEN, "/gone", b""),
        (Deed.WRITE, "/gone", b"unseen"),
    ]
    assert [e.target for e in events if e.deed is Deed.RENAME] == ["mapped", "renamed"]
    accepted = next(e.target for e in events if e.deed is Deed.ACCEPT)
    listener, _, client = accepted.removeprefix("tcp:").partition("->")
    sent = [(e.target, e.data, e.size) for e in events if e.deed is Deed.WRITE and e.target.startswith(("tcp", "udp"))]
    assert sent[0] == (f"tcp:{client}->{listener}", b"hello\x00\xff", 7)
    assert sent[1][0].endswith("->127.0.0.1:9")
    assert sent[2][:2] == ("udp:127.0.0.1:99", b"addressed")
    assert sent[3] == (f"tcp:{client}->{listener}", b"", 100)
    assert {f"tcp:{listener}", "udp:127.0.0.1:9"} == {e.target for e in events if e.deed is Deed.CONNECT}
    assert next(e.deed for e in events) is Deed.RUN
    assert any(e.deed is Deed.WRITE and e.target == "pipe" and b"FileNotFoundError" in e.data for e in events)


def hexed(text: str | bytes) -> str:
    """Return a string as strace -xx writes it."""
    return "".join(f"\\x{byte:02x}" for byte in (text.encode() if isinstance(text, str) else text))


def read(tmp_path: Path, *lines: str) -> list[Event]:
    """Read lines of a trace."""
    (tmp_path / "trace.1").write_text("\n".join(lines))
    return read_log([tmp_path / "trace.1"])


CONNECT_V6 = (
    "1.5 connect(3<TCPv6:[7]>, {sa_family=AF_INET6, sin6_port=htons(8), inet_pton(AF_INET6, "
    f'"{hexed("fe80::1")}"), sin6_scope_id=0}}, 28) = -1 EINPROGRESS (Operation now in progress)'
)


@pytest.mark.parametrize(
    ("line", "deed", "target"),
    [
        (f'1.5 creat("{hexed("/x")}", 0666) = 3<{hexed("/x")}>', Deed.OPEN, "/x"),
        (
            f'1.5 connect(3<UNIX-STREAM:[77]>, {{sa_family=AF_UNIX, sun_path="{hexed("/run/s")}"}}, 9) = 0',
            Deed.CONNECT,
            "unix:/run/s",
        ),
        (
            CONNECT_V6,
            Deed.CONNECT,
            "tcp:fe80::1:8",
        ),
        ("1.5 io_uring_setup(8, {flags=0}) = 4<anon_inode:[io_uring]>", Deed.BYPASS, "io_uring_setup"),
        (f'1.5 write(3<{hexed("/dev/null")}<char 1:3>>, "{hexed("a")}", 1) = 1', Deed.WRITE, "/dev/null"),
        (f'1.5 write(3<{hexed("/a")}>(deleted), "{hexed("a")}", 1) = 1', Deed.WRITE, "/a"),
        (f"1.5 copy_file_range(3<{hexed('/a')}>, NULL, 4<{hexed('/b')}>, NULL, 9, 0) = 9", Deed.WRITE, "/b"),
    ],
)
def test_a_line_of_a_trace_is_understood(tmp_path: Path, line: str, deed: Deed, target: str) -> None:
    """Forms that the program of the other test does not bring about."""
    (event,) = read(tmp_path, line)

    assert (event.at_s, event.deed, event.target) == (1.5, deed, target)


@pytest.mark.parametrize(
    "line",
    [
        f'1.5 openat(AT_FDCWD<{hexed("/")}>, "{hexed("/x")}", O_WRONLY) = -1 EACCES (Permission denied)',
        f'1.5 openat(AT_FDCWD<{hexed("/")}>, "{hexed("/x")}", O_RDONLY|O_CLOEXEC) = 3<{hexed("/x")}>',
        f"1.5 mmap(NULL, 9, PROT_READ|PROT_WRITE, MAP_PRIVATE, 3<{hexed('/x')}>, 0) = 0x7f00",
        f"1.5 mmap(NULL, 9, PROT_READ, MAP_SHARED, 3<{hexed('/x')}>, 0) = 0x7f00",
        "1.5 mmap(NULL, 9, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0) = 0x7f00",
        "1.5 +++ exited with 0 +++",
        f'1.5 write(3<{hexed("/a")}>, "{hexed("a")}", 1 <unfinished ...>',
    ],
)
def test_what_leaves_nothing_behind_is_no_event(tmp_path: Path, line: str) -> None:
    """Reading, private memory and what failed."""
    assert read(tmp_path, line) == []


def test_more_than_the_trace_keeps_is_a_hidden_way(tmp_path: Path) -> None:
    """What was cut off can't be judged, so it is told."""
    events = read(tmp_path, f'1.5 write(3<{hexed("/a")}>, "{hexed("abc")}"..., 5000000) = 5000000')

    assert [event.deed for event in events] == [Deed.BYPASS, Deed.WRITE]
