"""Whether what was sent and kept are words and numbers about a class, and nothing that could carry a picture."""

import json
from collections.abc import Iterator
from typing import Any

LONGEST_TEXT = 1000
"""Characters of a text; a reason in words is some hundred."""

LONGEST_LIST = 100
"""Entries of a list; the longest are the raised alerts."""

LONGEST_BYTES = 192
"""Bytes of a stored value that is no text; all numbers of a window are up to 166."""

LONGEST_WORD = 64
"""Characters of a message that is no JSON."""

_PUBLISH = 3
_CLIENT_PACKETS = {1: "CONNECT", 3: "PUBLISH", 4: "PUBACK", 8: "SUBSCRIBE", 10: "UNSUBSCRIBE", 12: "PINGREQ"}
_CLIENT_PACKETS |= {5: "PUBREC", 6: "PUBREL", 7: "PUBCOMP", 14: "DISCONNECT"}
_LARGEST_CONTROL = 2048  # bytes of a CONNECT with its last will


class NotOursError(ValueError):
    """Raised when bytes are not the messages that the box sends."""


def check_mqtt(stream: bytes) -> int:
    """Take everything that went one way over a connection apart (MQTT 3.1.1); return how many messages it published.

    Raises:
        NotOursError: Something in it is no MQTT packet, or a message is neither JSON nor a short word; one line.
    """
    messages = 0
    for topic, payload in mqtt_messages(stream):
        check_text(f"message to {topic[:200]}", payload)
        messages += 1
    return messages


def mqtt_messages(stream: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the topic and the payload of each message that went one way over a connection (MQTT 3.1.1).

    Raises:
        NotOursError: Something in it is no MQTT packet, or one that is no message is too large; one line.
    """
    for kind, flags, body in _packets(stream):
        if kind == _PUBLISH:
            topic_end = 2 + int.from_bytes(body[:2], "big")
            yield body[2:topic_end].decode(errors="replace"), body[topic_end + (2 if flags & 0b0110 else 0) :]
        elif len(body) > _LARGEST_CONTROL:
            raise NotOursError(f"a {_CLIENT_PACKETS[kind]} packet of {len(body)} bytes")


def check_text(where: str, payload: bytes) -> None:
    """Check one message: JSON of numbers and short texts, or one short text.

    Raises:
        NotOursError: It is something else; one line.
    """
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        raise NotOursError(f"{where}: {len(payload)} bytes that are no text") from None
    try:
        _check_value(where, json.loads(text))
    except json.JSONDecodeError:
        if len(text) > LONGEST_WORD:
            raise NotOursError(f"{where}: {len(text)} characters that are no JSON") from None


def check_stored(where: str, value: object) -> None:
    """Check one value of a database.

    Raises:
        NotOursError: It is larger than anything that is kept; one line.
    """
    if isinstance(value, bytes) and len(value) > LONGEST_BYTES:
        check_text(where, value)
    elif isinstance(value, str) and len(value) > LONGEST_TEXT:
        check_text(where, value.encode())


def _check_value(where: str, value: Any) -> None:  # noqa: ANN401 - whatever JSON holds
    match value:
        case str() if len(value) > LONGEST_TEXT:
            raise NotOursError(f"{where}: a text of {len(value)} characters")
        case list() if len(value) > LONGEST_LIST:
            raise NotOursError(f"{where}: a list of {len(value)} entries")
        case list():
            for entry in value:
                _check_value(where, entry)
        case dict():
            if len(value) > LONGEST_LIST:
                raise NotOursError(f"{where}: an object of {len(value)} keys")
            for key, entry in value.items():
                _check_value(where, key)
                _check_value(where, entry)
        case _:
            pass


def _packets(stream: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield each packet's kind, flags and body; the last may be cut off by the end of the trace."""
    at = 0
    while at < len(stream):
        kind, flags = stream[at] >> 4, stream[at] & 0x0F
        if kind not in _CLIENT_PACKETS:
            raise NotOursError(f"byte {at} of what was sent begins no MQTT packet")
        length, shift, at = 0, 0, at + 1
        while at < len(stream):
            digit, at = stream[at], at + 1
            length |= (digit & 0x7F) << shift
            shift += 7
            if digit < 0x80:  # noqa: PLR2004 - the last digit of the length
                break
        yield kind, flags, stream[at : at + length]
        at += length
