"""Words and numbers, and nothing that could carry a picture."""

import base64
import json

import pytest

from edge.privacy.messages import NotOursError, check_mqtt, check_stored


def packet(kind: int, body: bytes, flags: int = 0) -> bytes:
    """Return one MQTT packet."""
    length, digits = len(body), b""
    while True:
        length, digit = divmod(length, 128)
        digits += bytes([digit | (0x80 if length else 0)])
        if not length:
            return bytes([kind << 4 | flags]) + digits + body


def published(payload: bytes, *, topic: str = "classroom/a/b", qos: int = 0) -> bytes:
    """Return one message."""
    name = topic.encode()
    return packet(3, len(name).to_bytes(2, "big") + name + (b"\x00\x07" if qos else b"") + payload, qos << 1)


CONNECT = packet(1, b"\x00\x04MQTT\x04\x02\x00\x3c\x00\x03box")
SUMMARY = json.dumps({"shares": {"anger": 0.1}, "alerts": [{"reason": "negative 41 %"}] * 20, "at": None}).encode()


def test_what_the_box_sends_is_understood() -> None:
    """A connection's packets, messages of both kinds of delivery, and one that the trace's end cut off."""
    stream = CONNECT + published(SUMMARY) + published(SUMMARY, qos=1) + packet(12, b"") + published(b"online")

    assert check_mqtt(stream) == 3
    assert check_mqtt(stream + b"\x30") == 4
    assert check_mqtt(b"") == 0


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (bytes(range(256)) * 10, "2560 bytes that are no text"),
        (json.dumps({"face": base64.b64encode(bytes(3000)).decode()}).encode(), "a text of 4000 characters"),
        (json.dumps({"a": [{"pixels": list(range(101))}]}).encode(), "a list of 101 entries"),
        (json.dumps({str(i): i for i in range(101)}).encode(), "an object of 101 keys"),
        (json.dumps({"x" * 1001: 1}).encode(), "a text of 1001 characters"),
        (base64.b64encode(bytes(300)), "400 characters that are no JSON"),
    ],
)
def test_a_message_that_could_carry_media_is_named(payload: bytes, says: str) -> None:
    """Bytes, long texts, long lists: each with its topic and size."""
    with pytest.raises(NotOursError, match=f"message to classroom/a/b: {says}"):
        check_mqtt(CONNECT + published(payload))


def test_bytes_that_are_no_mqtt_are_named() -> None:
    """Raw sound on the broker's port."""
    with pytest.raises(NotOursError, match=r"byte \d+ of what was sent begins no MQTT packet"):
        check_mqtt(CONNECT + b"\x02\x00\xff\x7f" * 100)


def test_a_large_packet_of_another_kind_is_named() -> None:
    """A last will is text of some hundred bytes."""
    with pytest.raises(NotOursError, match="a CONNECT packet of 5000 bytes"):
        check_mqtt(packet(1, bytes(5000)))


def test_values_of_a_database_are_small() -> None:
    """Numbers, short texts, the numbers of a window and JSON pass; a picture does not."""
    for value in (None, 1, 0.5, "negative 41 %", bytes(range(166)), SUMMARY):
        check_stored("edge.db", value)
    with pytest.raises(NotOursError, match=r"edge.db: 2560 bytes that are no text"):
        check_stored("edge.db", bytes(range(256)) * 10)
    with pytest.raises(NotOursError, match=r"edge.db: 1001 characters that are no JSON"):
        check_stored("edge.db", "x" * 1001)
