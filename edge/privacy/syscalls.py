r"""What a program wrote, mapped, connected to and sent, read from the log of strace(1).

The log is that of ``strace -ff -ttt -yy -xx``: a file a thread, each call on a line of its own, strings and paths in
hexadecimal, and after each descriptor what it stands for::

    1795540386.2 write(9<\x2f\x74\x6d\x70>, "\xff\xd8", 2) = 2
    1795540386.3 sendto(4<TCP:[127.0.0.1:60480->127.0.0.1:1883]>, "\x30", 1, 0, NULL, 0) = 1
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path


class Deed(StrEnum):
    """What a call does with bytes."""

    OPEN = "opens for writing"
    MAP = "maps for shared writing"
    WRITE = "writes"
    CONNECT = "connects to"
    ACCEPT = "is connected to by"
    RENAME = "renames"
    RUN = "runs"
    BYPASS = "uses a call that this trace can't see into"


@dataclass(frozen=True, slots=True)
class Event:
    """One call that succeeded, or that may have."""

    at_s: float
    """Seconds since 1970."""

    deed: Deed

    target: str
    """A path, ``tcp:LOCAL->REMOTE``, ``udp:REMOTE``, ``unix:PATH``, or a word such as ``pipe``."""

    data: bytes = b""
    """What was written or sent."""

    size: int = 0
    """Bytes of it, also where they are not known to the trace (``sendfile``)."""

    near: str = ""
    """Of a connection that is made: what the trace calls its socket from then on."""


_LINE = re.compile(r"^(?:\[pid +\d+\] )?(\d+\.\d+) (\w+)\((.*)\) += ((?:-?\d+|0x[0-9a-f]+).*)$", re.DOTALL)
_BYTES = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_FD = re.compile(r"^(?:\d+|AT_FDCWD)<(.*?)>(?=[,()]|$)")
_PORT = re.compile(r"sin6?_port=htons\((\d+)\)")
_HOST = re.compile(r'(?:inet_addr\(|inet_pton\(AF_INET6, )"((?:\\x[0-9a-f]{2})+)"')
_UNIX = re.compile(r'sun_path=@?"((?:\\x[0-9a-f]{2})*)"')


def read_log(files: Iterable[Path]) -> list[Event]:
    """Return what all threads did, in order of time.

    Raises:
        OSError: A file can't be read.
    """
    events = [event for path in files for event in _events(path.read_text("ascii", errors="replace"))]
    return list(_with_peers(sorted(events, key=lambda event: event.at_s)))


def _with_peers(events: Iterable[Event]) -> Iterator[Event]:
    """Say where to of sockets that strace knows by their near end alone, as it does of those bound before."""
    peers: dict[str, str] = {}
    for event in events:
        if event.deed is Deed.CONNECT and event.near.startswith(("tcp", "udp")):
            peers[event.near] = event.target.partition(":")[2]
        if event.deed is Deed.WRITE and event.target in peers:
            yield replace(event, target=f"{event.target}->{peers[event.target]}")
        else:
            yield event


def _events(text: str) -> Iterator[Event]:
    for line in text.splitlines():
        found = _LINE.match(line)
        # A call that was under way when its process ended has no result, and did nothing that lasts.
        if found is not None:
            yield from _event(_Call(float(found[1]), found[2], found[3], found[4]))


def _event(call: "_Call") -> Iterator[Event]:
    """Return what a call did; one that failed did nothing, but a connection that was refused still says where to."""
    if call.name in _READERS and (call.name == "connect" or not call.result.startswith("-")):
        yield from _READERS[call.name](call)


@dataclass(frozen=True, slots=True)
class _Call:
    """One line of the log."""

    at_s: float
    name: str
    arguments: str

    result: str
    """With what stands behind it: a descriptor's meaning, an error's name."""


def _opened(call: _Call) -> Iterator[Event]:
    if call.name == "creat" or re.search(r"O_(?:WR|RDWR|CREAT|TRUNC|APPEND)", call.arguments):
        yield Event(call.at_s, Deed.OPEN, _target(call.result))


def _mapped(call: _Call) -> Iterator[Event]:
    if all(word in call.arguments for word in ("PROT_WRITE", "MAP_SHARED")) and "MAP_ANONYMOUS" not in call.arguments:
        yield Event(call.at_s, Deed.MAP, _target(call.arguments.split(", ", 4)[4]))


def _written(call: _Call) -> Iterator[Event]:
    target, head = _target(call.arguments), call.arguments
    if call.name.startswith("send") and (found := re.search(r"\{sa_family=.*?\}", call.arguments)):
        head, target = call.arguments.replace(found[0], ""), _address(f"{target}{found[0]}")
    chunks = list(_BYTES.finditer(head))
    data = b"".join(_unhex(chunk[1]) for chunk in chunks)
    if any(chunk[2] for chunk in chunks):
        yield Event(call.at_s, Deed.BYPASS, f"a {call.name} of more than 4 MiB to {target}")
    yield Event(call.at_s, Deed.WRITE, target, data, len(data))


def _copied(call: _Call) -> Iterator[Event]:
    yield Event(
        call.at_s, Deed.WRITE, _target(call.arguments.split(", ")[_COPIES[call.name]]), size=int(call.result.split()[0])
    )


def _connected(call: _Call) -> Iterator[Event]:
    yield Event(call.at_s, Deed.CONNECT, _address(call.arguments), near=_target(call.arguments))


def _accepted(call: _Call) -> Iterator[Event]:
    yield Event(call.at_s, Deed.ACCEPT, _target(call.result))


def _renamed(call: _Call) -> Iterator[Event]:
    for found in _BYTES.finditer(call.arguments):
        yield Event(call.at_s, Deed.RENAME, _text(found[1]))


def _run(call: _Call) -> Iterator[Event]:
    found = _BYTES.search(call.arguments)
    yield Event(call.at_s, Deed.RUN, "unknown" if found is None else _text(found[1]))


def _bypassed(call: _Call) -> Iterator[Event]:
    yield Event(call.at_s, Deed.BYPASS, call.name)


# Where each of these calls names the descriptor it copies to.
_COPIES = {"sendfile": 0, "splice": 2, "tee": 1, "copy_file_range": 2}

_READERS: dict[str, Callable[[_Call], Iterator[Event]]] = {
    **dict.fromkeys(("open", "openat", "openat2", "creat"), _opened),
    **dict.fromkeys(("write", "pwrite64", "writev", "pwritev", "pwritev2", "vmsplice"), _written),
    **dict.fromkeys(("sendto", "sendmsg", "sendmmsg"), _written),
    **dict.fromkeys(_COPIES, _copied),
    **dict.fromkeys(("accept", "accept4"), _accepted),
    **dict.fromkeys(("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"), _renamed),
    **dict.fromkeys(("execve", "execveat"), _run),
    **dict.fromkeys(("io_uring_setup", "process_vm_writev", "ptrace", "shmat", "msgsnd", "mq_timedsend"), _bypassed),
    "mmap": _mapped,
    "connect": _connected,
}

# "?" leaves out the calls that a machine doesn't have.
OPTIONS: tuple[str, ...] = ("-ff", "-ttt", "-yy", "-xx", "-s", "4194304", "-e", "signal=none", "-e", "quiet=all")
OPTIONS += ("-e", "trace=" + ",".join(f"?{name}" for name in _READERS))
"""What strace needs to be told for :func:`read_log`: every call by which bytes can leave a process."""


def _target(descriptor: str) -> str:
    """Return what ``9<...>`` stands for."""
    found = _FD.match(descriptor)
    if found is None:
        return "unknown"
    name = found[1]
    if name.startswith("\\x"):
        path = _text(name.split("<")[0])
        return path.split(":")[0] if path.startswith(("pipe:", "socket:", "anon_inode:")) else path
    kind, _, ends = name.partition(":")
    kind = kind.lower()
    if kind.startswith(("tcp", "udp")):
        return f"{kind[:3]}:{ends.strip('[]').replace('[::ffff:', '').replace(']', '').replace('[', '')}"
    return "unix" if kind.startswith("unix") else kind


def _address(text: str) -> str:
    """Return whom a socket address names."""
    if unix := _UNIX.search(text):
        return f"unix:{_text(unix[1])}"
    host, port = _HOST.search(text), _PORT.search(text)
    if host is None or port is None:
        return "netlink" if "AF_NETLINK" in text else "nowhere" if "AF_UNSPEC" in text else f"unknown ({text[:80]})"
    kind = "udp" if "UDP" in text.upper().split("{")[0] else "tcp"
    return f"{kind}:{_text(host[1])}:{port[1]}"


def _text(hexadecimal: str) -> str:
    return _unhex(hexadecimal).decode(errors="replace")


def _unhex(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
