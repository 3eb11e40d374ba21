"""Where a traced service wrote and sent, what, and how much."""

from dataclasses import replace

import numpy as np
import pytest

from edge.privacy.media_traces import KnownMedia
from edge.privacy.syscalls import Deed, Event
from edge.privacy.verdict import DATABASE_BYTES_PER_S, OTHER_BYTES_PER_S, Allowed, Check, judge

ALLOWED = Allowed(
    files=frozenset({"/var/lib/edge/edge.db", "/var/lib/edge/edge.db-wal"}),
    broker=frozenset({("10.0.0.9", 1883), ("::1", 1883)}),
    media_hosts=frozenset({"10.0.0.7"}),
    name_servers=frozenset({"10.0.0.1"}),
    sockets=("/run/systemd/notify",),
)
TO_BROKER = "tcp:10.0.0.5:40000->10.0.0.9:1883"
CONNECT = b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03box"
USUAL = [
    Event(0.0, Deed.RUN, "/usr/bin/python3"),
    Event(0.1, Deed.OPEN, "/var/lib/edge/edge.db"),
    Event(0.2, Deed.WRITE, "/var/lib/edge/edge.db-wal", b"a page", 6),
    Event(0.3, Deed.OPEN, "/dev/video0"),
    Event(0.3, Deed.WRITE, "/proc/self/task/7/comm", b"vision", 6),
    Event(0.3, Deed.WRITE, "/memfd:pulse", b"", 4),
    Event(0.4, Deed.CONNECT, "udp:10.0.0.1:53"),
    Event(0.4, Deed.WRITE, "udp:10.0.0.5:7->10.0.0.1:53", b"broker.school?", 14),
    Event(0.5, Deed.CONNECT, "udp:10.0.0.9:1883"),
    Event(0.5, Deed.CONNECT, "tcp:10.0.0.9:1883"),
    Event(0.6, Deed.CONNECT, "tcp:127.0.0.1:5555"),
    Event(0.6, Deed.ACCEPT, "tcp:127.0.0.1:5555->127.0.0.1:5556"),
    Event(0.7, Deed.WRITE, "tcp:127.0.0.1:5555->127.0.0.1:5556", b"0", 1),
    Event(0.8, Deed.CONNECT, "tcp:10.0.0.7:554"),
    Event(0.8, Deed.CONNECT, "unix:/run/systemd/notify"),
    Event(0.9, Deed.CONNECT, "netlink"),
    Event(1.0, Deed.WRITE, "pipe", b"INFO edge", 9),
    Event(1.0, Deed.WRITE, TO_BROKER, CONNECT, len(CONNECT)),
    Event(10.0, Deed.WRITE, TO_BROKER, b"\xc0\x00", 2),
]


def faults(*more: Event, allowed: Allowed = ALLOWED, known: KnownMedia | None = None) -> dict[str, str]:
    """Return the bad checks of the usual and some more."""
    return {check.name: check.detail for check in judge([*USUAL, *more], allowed, known) if not check.ok}


def test_a_service_that_keeps_to_its_settings_is_good() -> None:
    """The databases, devices, the broker, its name and the service's own wake-up socket."""
    checks = judge(USUAL, ALLOWED, None)

    assert all(check.ok for check in checks)
    assert Check("files", ok=True, detail="only edge.db, edge.db-wal written") in checks
    assert Check("sockets", ok=True, detail="connected only to tcp:10.0.0.9:1883") in checks


@pytest.mark.parametrize("deed", [Deed.OPEN, Deed.MAP, Deed.WRITE, Deed.RENAME])
@pytest.mark.parametrize(
    "path",
    [
        "/home/pi/face.raw",
        "/dev/shm/frames",  # noqa: S108 - none is touched
        "/dev/sda",
        "/var/lib/edge/edge.db.copy",
        "/proc/9/mem",
        "odd",
        "unknown",
    ],
)
def test_any_other_file_is_a_fault_that_names_it(deed: Deed, path: str) -> None:
    """However it is written, shared memory and disks included."""
    assert faults(Event(5.0, deed, path)) == {"files": f"{path}: {deed.value} it"}


@pytest.mark.parametrize(
    "target",
    [
        "tcp:10.0.0.9:1884",
        "tcp:93.184.216.34:443",
        "tcp:127.0.0.1:8080",
        "udp:10.0.0.2:53",
        "udp:10.0.0.1:5353",
        "unix:/run/other",
        "unknown ({sa_family=AF_BLUETOOTH})",
    ],
)
def test_any_other_connection_is_a_fault_that_names_it(target: str) -> None:
    """The broker's other ports and other name servers too."""
    assert faults(Event(5.0, Deed.CONNECT, target)) == {"sockets": f"{target}: connects to it"}


@pytest.mark.parametrize("far", ["udp:10.0.0.9:1883", "udp:239.0.0.1:5004", "tcp:93.184.216.34:80"])
def test_sending_elsewhere_is_a_fault(far: str) -> None:
    """A datagram needs no connection; the broker takes none."""
    assert faults(Event(5.0, Deed.WRITE, far, b"x", 1)) == {"sockets": f"{far}: sends to it"}


def test_somebody_who_connects_to_the_service_is_a_fault() -> None:
    """It listens to nobody: a door in is a way out."""
    assert "others connect to it" in faults(Event(5.0, Deed.ACCEPT, "tcp:0.0.0.0:80->10.0.0.3:9"))["sockets"]
    assert "others connect to it" in faults(Event(5.0, Deed.ACCEPT, "tcp:127.0.0.1:5555->127.0.0.1:9"))["sockets"]


def test_ways_that_a_trace_does_not_show_are_faults() -> None:
    """What can't be seen is not proved."""
    assert "io_uring_setup" in faults(Event(5.0, Deed.BYPASS, "io_uring_setup"))["hidden ways"]


def test_sound_servers_are_for_those_who_listen() -> None:
    """Their shared memory and sockets are where a microphone's sound comes from, and a fault without one."""
    server = [
        Event(5.0, Deed.OPEN, "/dev/shm/jack-shm-registry"),  # noqa: S108 - not touched
        Event(5.0, Deed.CONNECT, "unix:/dev/shm/jack_default_0_0"),
        Event(5.0, Deed.CONNECT, "unix:/run/user/1000/pulse/native"),
        Event(5.0, Deed.BYPASS, "shmat"),
    ]

    assert faults(*server, allowed=replace(ALLOWED, sound=True)) == {}
    assert set(faults(*server)) == {"files", "sockets", "hidden ways"}


def test_media_are_found_wherever_they_go() -> None:
    """In the database and in what goes to the broker, in pieces too."""
    picture = np.random.default_rng(1).integers(0, 256, (30, 30, 3), np.uint8)
    database = "/var/lib/edge/edge.db-wal"
    split = [Event(5.0, Deed.WRITE, database, b"\x89PNG", 4), Event(5.1, Deed.WRITE, database, b"\r\n\x1a\n", 4)]

    found = faults(*split, Event(6.0, Deed.WRITE, "pipe", picture[3].tobytes(), 90), known=KnownMedia([picture]))

    assert found == {
        "media files": f"{database}: holds the mark of a PNG file",
        "known media": "pipe: holds pixels or samples that a source delivered, at byte 11",
    }


def test_what_is_no_message_is_a_fault_unless_encrypted() -> None:
    """Sent in the open, every byte is accounted for."""
    raw = Event(5.0, Deed.WRITE, TO_BROKER, b"\x00\x01\x02\x03", 4)

    assert TO_BROKER in faults(raw)["messages"]
    assert "no MQTT packet" in faults(raw)["messages"]
    assert faults(raw, allowed=replace(ALLOWED, tls=True)) == {}


@pytest.mark.parametrize(
    ("target", "least"), [("/var/lib/edge/edge.db", DATABASE_BYTES_PER_S), ("pipe", OTHER_BYTES_PER_S)]
)
def test_too_much_is_a_fault(target: str, least: int) -> None:
    """More a second than summaries need, over the ten seconds of the trace."""
    assert faults(Event(10.0, Deed.WRITE, target, b"", least * 10 - 100)) == {}
    assert f"more than {least}" in faults(Event(10.0, Deed.WRITE, target, b"", least * 10 + 1))["amount"]


def test_what_goes_to_dev_null_is_gone() -> None:
    """However much it is."""
    assert faults(Event(10.0, Deed.WRITE, "/dev/null", b"", 10**9)) == {}


def test_nothing_traced_proves_nothing() -> None:
    """An empty trace is no proof."""
    assert any(not check.ok for check in judge([], ALLOWED, None))
