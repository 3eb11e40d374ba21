"""Whether a traced service kept raw media to itself: where it wrote and sent, what, and how much."""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edge.privacy.media_traces import KnownMedia, media_mark
from edge.privacy.messages import NotOursError, check_mqtt
from edge.privacy.syscalls import Deed, Event

DATABASE_BYTES_PER_S = 32_000
"""Bytes a second that the databases may be written with, journals included, each row as pages of 4 KiB; the sound
of one microphone as it comes in is 32 000."""

OTHER_BYTES_PER_S = 8_000
"""Bytes a second that may go anywhere else, all together: speech as a telephone carries it (G.711) is 8 000."""

_DEVICES = re.compile(
    r"/dev/(?:null|tty|u?random|video\d+|media\d+|v4l-subdev\d+|snd/\w+|dri/\w+|dma_heap/[\w,-]+|udmabuf|vchiq|vcsm-cma)"
)
# Where ALSA, JACK, PulseAudio and PipeWire meet their clients: the sound comes from there.
_SOUND_FILES = re.compile(r"/dev/shm/(?:jack[_-].*|sem\.jack.*|pulse-shm-\d+)")  # noqa: S108 - not opened here
_SOUND_SOCKETS = re.compile(
    r"(?:/run/user/\d+/(?:pulse/|pipewire-)|/(?:dev/shm|tmp)/(?:jack[_-]|alsa-d)|/run/pipewire).*"
)
_SOUND_CALLS = frozenset({"shmat"})
# Names of threads, and files that are memory and have no place on a disk.
_NO_FILES = re.compile(r"/proc/(?:self|\d+)/(?:task/\d+/)?comm|/memfd:.*")
_INSIDE = ("pipe", "unix", "netlink", "anon_inode", "socket", "udp:")
_DNS = 53


@dataclass(frozen=True, slots=True)
class Allowed:
    """Where a service's settings let it write and send."""

    files: frozenset[str]
    """Absolute paths of the databases with their journals."""

    broker: frozenset[tuple[str, int]]
    """Addresses and port."""

    tls: bool = False
    """Whether what goes to the broker is encrypted, so that only its amount can be judged."""

    media_hosts: frozenset[str] = frozenset()
    """Addresses that pictures and sound are fetched from."""

    name_servers: frozenset[str] = frozenset()

    sound: bool = False
    """Whether a microphone is listened to, for which this machine's sound server has files and sockets of its own."""

    sockets: tuple[str, ...] = ()
    """Beginnings of the paths of local sockets."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked into."""

    name: str
    ok: bool

    detail: str
    """What was found, in one line."""


def make_check(name: str, faults: Iterable[str], good: str) -> Check:
    """Return a check that is good without faults, and names the first of them otherwise."""
    different = list(dict.fromkeys(faults))
    if not different:
        return Check(name, ok=True, detail=good)
    more = f" (and {len(different) - 1} more)" if len(different) > 1 else ""
    return Check(name, ok=False, detail=f"{different[0]}{more}")


def judge(events: Sequence[Event], allowed: Allowed, known: KnownMedia | None) -> tuple[Check, ...]:
    """Look into everything that a service did.

    Args:
        events: In order of time.
        allowed: Where its settings let it write and send.
        known: Pictures and sound that its sources delivered; ``None`` where they are not known.
    """
    written = written_to(events)
    return (
        _files(events, allowed),
        _sockets(events, allowed),
        make_check(
            "hidden ways",
            (
                f"{event.target}: {event.deed.value}"
                for event in events
                if event.deed is Deed.BYPASS and not (allowed.sound and event.target in _SOUND_CALLS)
            ),
            "no call used that this trace can't see into",
        ),
        _messages(written, allowed),
        make_check(
            "media files",
            (
                f"{target}: holds the mark of a {kind} file"
                for target, data in written.items()
                if (kind := media_mark(data))
            ),
            f"no mark of a picture, sound or video format in {sum(map(len, written.values()))} bytes",
        ),
        *(() if known is None else (_known(written, known),)),
        _amount(events, allowed),
    )


def written_to(events: Iterable[Event]) -> dict[str, bytes]:
    """Return everything that was written or sent, by target, in order of time."""
    pieces: dict[str, list[bytes]] = {}
    for event in events:
        if event.deed is Deed.WRITE:
            pieces.setdefault(event.target, []).append(event.data)
    return {target: b"".join(parts) for target, parts in pieces.items()}


def amounts(events: Iterable[Event]) -> Counter[str]:
    """Return the bytes written or sent, by target."""
    total = Counter[str]()
    for event in events:
        if event.deed is Deed.WRITE:
            total[event.target] += event.size
    return total


def _files(events: Sequence[Event], allowed: Allowed) -> Check:
    touching = {Deed.OPEN, Deed.MAP, Deed.RENAME, Deed.WRITE}
    paths = {
        event.target: event.deed for event in reversed(events) if event.deed in touching and _is_file(event.target)
    }
    foreign = [
        path
        for path in paths
        if path not in allowed.files
        and not _DEVICES.fullmatch(path)
        and not (allowed.sound and _SOUND_FILES.fullmatch(path))
    ]
    names = sorted(path.rpartition("/")[2] for path in paths if path in allowed.files)
    return make_check(
        "files", (f"{path}: {paths[path].value} it" for path in foreign), f"only {', '.join(names)} written"
    )


def _is_file(target: str) -> bool:
    if _NO_FILES.fullmatch(target):
        return False
    return not (target.startswith(_INSIDE) or target.startswith("tcp:"))


def _sockets(events: Sequence[Event], allowed: Allowed) -> Check:
    connects = Counter(event.target for event in events if event.deed is Deed.CONNECT)
    listeners = Counter(event.target.split("->")[0] for event in events if event.deed is Deed.ACCEPT)
    faults = []
    for target in connects:
        # A name's addresses are tried out by datagram sockets that send nothing (RFC 3484).
        probe = target.startswith("udp:") and _host(target) in {host for host, _ in allowed.broker}
        if not (probe or _may_send(target, allowed, listeners)):
            faults.append(f"{target}: {Deed.CONNECT.value} it")
    for end, count in listeners.items():
        if count > connects[end] or not _is_loopback(end):
            faults.append(f"{end}: others connect to it")
    for event in events:
        if event.deed is Deed.WRITE and event.target.startswith(("tcp:", "udp:", "unix:")):
            near, arrow, far = event.target.partition("->")
            kind = near.partition(":")[0]
            if arrow and near in listeners:
                continue
            end = f"{kind}:{far}" if arrow else near
            if not _may_send(end, allowed, listeners):
                faults.append(f"{end}: sends to it")
    brokers = {f"tcp:{host}:{port}" for host, port in allowed.broker}
    used = sorted(target for target in connects if target in brokers)
    return make_check("sockets", faults, f"connected only to {', '.join(used) or 'nothing'}")


def _may_send(end: str, allowed: Allowed, listeners: Counter[str]) -> bool:
    if end.startswith("unix:"):
        path = end.removeprefix("unix:")
        known = path.startswith(("/var/run/nscd/", "/run/nscd/", *allowed.sockets))
        return known or (allowed.sound and _SOUND_SOCKETS.fullmatch(path) is not None)
    if end in {"netlink", "nowhere"}:
        return True
    host, port = _host(end), int(end.rpartition(":")[2]) if end.rpartition(":")[2].isdigit() else 0
    if end.startswith("tcp:") and ((host, port) in allowed.broker or (_is_loopback(end) and end in listeners)):
        return True
    return host in allowed.media_hosts or (port == _DNS and host in allowed.name_servers)


def _host(end: str) -> str:
    return end.partition(":")[2].rpartition(":")[0]


def _is_loopback(end: str) -> bool:
    try:
        return ipaddress.ip_address(_host(end)).is_loopback
    except ValueError:
        return False


def to_broker(target: str, allowed: Allowed) -> bool:
    """Whether a target is a connection to the broker."""
    return any(target.endswith(f"->{host}:{port}") for host, port in allowed.broker)


def _messages(written: dict[str, bytes], allowed: Allowed) -> Check:
    streams = {target: data for target, data in written.items() if to_broker(target, allowed)}
    size = sum(map(len, streams.values()))
    if allowed.tls:
        return Check("messages", ok=True, detail=f"{size} bytes, encrypted: only their amount is judged")
    faults, count = [], 0
    for target, data in streams.items():
        try:
            count += check_mqtt(data)
        except NotOursError as error:
            faults.append(f"{target}: {error}")
    return make_check(
        "messages", faults, f"all {size} bytes sent are MQTT: {count} messages of numbers and short texts"
    )


def _known(written: dict[str, bytes], known: KnownMedia) -> Check:
    return make_check(
        "known media",
        (
            f"{target}: holds pixels or samples that a source delivered, at byte {at}"
            for target, data in written.items()
            if (at := known.found_in(data)) is not None
        ),
        f"none of {len(known)} pieces of the pixels and samples that the sources delivered",
    )


def _amount(events: Sequence[Event], allowed: Allowed) -> Check:
    if not events:
        return Check("amount", ok=False, detail="nothing was traced")
    seconds = max(events[-1].at_s - events[0].at_s, 1.0)
    total = amounts(events)
    del total["/dev/null"]
    kept = sum(size for target, size in total.items() if target in allowed.files) / seconds
    other = {target: size / seconds for target, size in total.items() if target not in allowed.files}
    faults = []
    if kept > DATABASE_BYTES_PER_S:
        faults.append(f"databases: written with {kept:.0f} bytes a second, more than {DATABASE_BYTES_PER_S}")
    if sum(other.values()) > OTHER_BYTES_PER_S:
        most = max(other, key=lambda target: other[target])
        faults.append(
            f"{most}: {other[most]:.0f} bytes a second, all but the databases {sum(other.values()):.0f}, "
            f"more than {OTHER_BYTES_PER_S}"
        )
    return make_check(
        "amount", faults, f"{kept:.0f} bytes a second to the databases, {sum(other.values()):.0f} anywhere else"
    )
