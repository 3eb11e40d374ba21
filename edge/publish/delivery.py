"""The outbox's messages under way on one connection."""

from edge.publish.connection import Connection
from edge.publish.outbox import Outbox

_WINDOW = 16  # alerts under way at once; paho would hold back more than 20


class Delivery:
    """Sends what waits in the outbox, in order, and removes what was acknowledged. All methods belong to one thread.

    Args:
        connection: Accepted by the broker.
        outbox: Where alerts wait.
    """

    def __init__(self, connection: Connection, outbox: Outbox) -> None:
        self.connection = connection
        self._outbox = outbox
        self._sent_key = 0
        self._keys: dict[int, int] = {}
        self._last: frozenset[int] = frozenset()

    def send_due(self) -> None:
        """Send the next messages, in order, while few are under way."""
        room = _WINDOW - len(self._keys)
        for message in self._outbox.peek(room, after=self._sent_key) if room else ():
            mid = self.connection.publish(message.topic, message.payload, qos=1, retain=False)
            self._keys[mid], self._sent_key = message.key, message.key

    def pump(self, timeout_s: float) -> None:
        """Move bytes, and forget what was acknowledged."""
        self._last = frozenset(self.connection.pump(timeout_s))
        delivered = [self._keys.pop(mid) for mid in self._last if mid in self._keys]
        if delivered:
            self._outbox.remove(delivered)

    def was_acknowledged(self, mid: int) -> bool:
        """Whether the last pump brought this acknowledgement."""
        return mid in self._last
