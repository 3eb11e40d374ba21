"""An MQTT broker inside the process, so that a demonstration or a single box needs nothing installed.

It speaks MQTT 3.1.1 over TCP and over WebSocket (for a browser). It keeps nothing on disk; a school with more than one
box runs a broker of its own.
"""

import asyncio
import hmac
import ipaddress
import logging
import socket
import threading
from dataclasses import dataclass

from amqtt.broker import Broker, BrokerContext
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session

from edge.errors import BrokerError, SettingsError

_LOGGER = logging.getLogger(__name__)

_START_S = 10.0
_STOP_S = 5.0


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """The one account that may connect."""

    username: str
    password: str

    def __post_init__(self) -> None:
        if not self.username or not self.password:
            raise SettingsError("needs a username and a password, neither empty", key="login")


class LoginPlugin(BaseAuthPlugin):  # type: ignore[misc] # amqtt ships no types
    """Lets in whoever knows the login. Loaded by amqtt, by name."""

    @dataclass
    class Config:
        """What amqtt hands over from the broker's configuration."""

        username: str
        password: str

    def __init__(self, context: BrokerContext) -> None:
        super().__init__(context)
        self._username: str = context.config.username
        self._password: str = context.config.password

    async def authenticate(self, *, session: Session) -> bool:
        """Return whether the session's name and password are the right ones, in the same time if they aren't."""
        name = hmac.compare_digest((session.username or "").encode(), self._username.encode())
        word = hmac.compare_digest((session.password or "").encode(), self._password.encode())
        return name and word


class _TidyBroker(Broker):  # type: ignore[misc] # amqtt ships no types
    """Closes what amqtt leaves open when a visitor vanishes or the broker ends in the middle of a visit."""

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        """Serve one TCP connection to its end."""
        try:
            await super().stream_connected(reader, writer, listener_name)
        finally:
            writer.transport.abort()


class EmbeddedBroker:
    """A broker with a thread and an event loop of its own.

    Args:
        host: Address to listen on. Beyond the loopback it must have a *login*.
        port: TCP port; 0 takes a free one.
        websocket_port: Port for MQTT over WebSocket; 0 takes a free one.
        login: Who may connect; ``None`` lets in everyone on this machine.

    Raises:
        SettingsError: It would be open to the network.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 1883, websocket_port: int = 8083, login: Login | None = None
    ) -> None:
        if login is None and not _is_loopback(host):
            raise SettingsError(
                f"would let everyone in on {host}: give a username and a password, or listen on 127.0.0.1", key="host"
            )
        self._host, self._login = host, login
        self._port, self._websocket_port = port, websocket_port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._listening = threading.Event()
        self._errors: list[Exception] = []

    @property
    def host(self) -> str:
        """The address it listens on."""
        return self._host

    @property
    def port(self) -> int:
        """The TCP port; the one that was taken, once started."""
        return self._port

    @property
    def websocket_port(self) -> int:
        """The WebSocket port; the one that was taken, once started."""
        return self._websocket_port

    def start(self) -> None:
        """Return once it listens.

        Raises:
            BrokerError: A port is in use or may not be used.
        """
        for name in ("amqtt", "transitions", "websockets"):
            logging.getLogger(name).setLevel(
                logging.CRITICAL
            )  # they report every visitor, and what we report ourselves
        self._port = _usable(self._host, self._port)
        self._websocket_port = _usable(self._host, self._websocket_port)
        self._listening.clear()
        self._errors.clear()
        self._thread = threading.Thread(target=self._run, name="mqtt-broker")
        self._thread.start()
        listening = self._listening.wait(_START_S)
        if self._errors or not listening:
            self.stop()
            raise BrokerError(f"embedded broker can't listen on {self._host}: {(*self._errors, 'no answer')[0]}")
        _LOGGER.info("embedded broker listens on %s:%d", self._host, self._port)

    def stop(self) -> None:
        """Hang up on everyone and end; callable any number of times."""
        if self._thread is None:
            return
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = None

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001 - whatever it is, start() raises it
            self._errors.append(error)
        finally:
            self._listening.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        broker = _TidyBroker(self._config(), loop=self._loop)
        await broker.start()
        self._listening.set()
        await self._stop.wait()
        await asyncio.wait_for(broker.shutdown(), _STOP_S)

    def _config(self) -> dict[str, object]:
        bind = f"[{self._host}]" if ":" in self._host else self._host
        plugins: dict[str, dict[str, object]]
        if self._login is None:
            plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
        else:
            login: dict[str, object] = {"username": self._login.username, "password": self._login.password}
            plugins = {f"{__name__}.{LoginPlugin.__name__}": login}
        return {
            "listeners": {
                "default": {"type": "tcp", "bind": f"{bind}:{self._port}", "max_connections": 100},
                "websocket": {"type": "ws", "bind": f"{bind}:{self._websocket_port}", "max_connections": 100},
            },
            "plugins": plugins,
        }


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _usable(host: str, port: int) -> int:
    """Return the port, or a free one for 0, after a try: amqtt leaves half of itself open when it can't listen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise BrokerError(
                f"embedded broker can't listen on {host}:{port}: {error}; stop what uses it, or choose another port"
            ) from error
        return int(probe.getsockname()[1])
