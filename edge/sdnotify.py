"""What systemd wants to hear: ready, alive, stopping (sd_notify(3))."""

import os
import socket


def notify(state: str) -> bool:
    """Send one state, such as ``READY=1``; return whether anybody listens.

    Raises:
        OSError: The socket that systemd named can't be written.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.connect(address)
        sock.sendall(state.encode())
    return True
