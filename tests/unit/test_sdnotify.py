"""What systemd wants to hear, said to a real socket."""

import secrets
import socket
from pathlib import Path

import pytest

from edge.sdnotify import notify


@pytest.mark.parametrize("state", ["READY=1", "WATCHDOG=1", "STOPPING=1", "STATUS=zwölf Gesichter"])
def test_a_state_arrives_as_one_datagram(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    """Systemd reads each state whole, as UTF-8."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))

        assert notify(state)
        assert systemd.recv(1024) == state.encode()


def test_an_address_with_an_at_sign_is_an_abstract_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """The @ stands for a zero byte, as sd_notify(3) has it."""
    name = f"classroom-edge-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")

        assert notify("READY=1")
        assert systemd.recv(1024) == b"READY=1"


@pytest.mark.parametrize("address", [None, ""])
def test_nobody_listens_outside_systemd(monkeypatch: pytest.MonkeyPatch, address: str | None) -> None:
    """Started by hand there is no socket, and nothing happens."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)

    assert not notify("READY=1")


def test_a_socket_that_is_gone_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A watchdog that can't be fed must not look fed."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))

    with pytest.raises(OSError, match="No such file"):
        notify("WATCHDOG=1")
