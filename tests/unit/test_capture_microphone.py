"""A microphone's callbacks become seamless 16 kHz mono blocks."""

import itertools
import sys

import numpy as np
import pytest

from edge.capture import microphone as microphone_module
from edge.capture.microphone import Microphone
from edge.capture.portaudio import input_devices, loopback_device
from edge.errors import DeviceLostError, SourceMissingError
from edge.media import AudioBlock
from edge.role import Role
from tests.capture_fakes import HandClock, SoundDevice, tone


def listen(monkeypatch: pytest.MonkeyPatch, clock: HandClock, sd: SoundDevice) -> list[AudioBlock]:
    """Return what the scripted device delivers before it falls silent."""
    monkeypatch.setitem(sys.modules, "sounddevice", sd)
    monkeypatch.setattr(microphone_module, "_SILENT_S", 0.0)
    blocks: list[AudioBlock] = []
    with pytest.raises(DeviceLostError):
        blocks.extend(Microphone(name="desk", role=Role.TEACHER, clock=clock).items())
    return blocks


def parts(
    seconds: float, rate: int, channels: int = 1
) -> list[tuple[np.ndarray[tuple[int, ...], np.dtype[np.float32]], bool]]:
    """Return a tone cut into callbacks of a tenth of a second."""
    wave = tone(seconds, rate=rate, channels=channels)
    return [(part, False) for part in np.split(wave, round(seconds * 10))]


def test_blocks_are_the_samples_with_the_time_of_their_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 16 kHz mono nothing is changed, and time counts from the first sample's."""
    clock = HandClock(5_000_000_000)
    blocks = listen(monkeypatch, clock, SoundDevice(clock, parts(1.0, 16_000)))

    np.testing.assert_allclose(np.concatenate([b.samples for b in blocks]), tone(1.0)[:, 0], atol=1e-6)
    assert [b.start_ns for b in blocks] == [5_000_000_000 + n * 100_000_000 for n in range(10)]
    assert {(b.source, b.role, b.gap) for b in blocks} == {("desk", Role.TEACHER, False)}


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (44_100, 1), (8_000, 2)])
def test_a_device_of_another_rate_is_resampled_without_clicks(
    monkeypatch: pytest.MonkeyPatch, rate: int, channels: int
) -> None:
    """What comes out is the same tone at 16 kHz; a click would leave a large second difference."""
    clock = HandClock()
    blocks = listen(
        monkeypatch, clock, SoundDevice(clock, parts(1.0, rate, channels), rates=(rate,), channels=channels)
    )
    heard = np.concatenate([b.samples for b in blocks])[200:-200]

    assert len(heard) == pytest.approx(16_000, abs=600)
    assert np.abs(np.diff(heard, 2)).max() < 1.1 * 0.5 * (2 * np.pi * 440 / 16_000) ** 2
    assert all(b.end_ns == c.start_ns for b, c in itertools.pairwise(blocks))


def test_sound_the_driver_lost_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The block after an overflow says so and starts where it was heard."""
    clock = HandClock(0)
    script = parts(0.3, 16_000)
    script[1] = (script[1][0], True)
    blocks = listen(monkeypatch, clock, SoundDevice(clock, script))

    assert [b.gap for b in blocks] == [False, True, False]
    assert [b.start_ns for b in blocks] == [0, 600_000_000, 700_000_000]


def test_sound_a_late_reader_lost_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ring forgets the oldest, and the first block read after that says so."""
    clock = HandClock(0)
    blocks = listen(monkeypatch, clock, SoundDevice(clock, parts(6.0, 16_000)))

    assert len(blocks) == 50
    assert [b.gap for b in blocks] == [True] + [False] * 49
    assert blocks[0].start_ns == 1_000_000_000


def test_a_device_named_wrongly_is_missing_with_the_command_that_lists_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line: what, and how to find the right one."""
    monkeypatch.setitem(sys.modules, "sounddevice", SoundDevice(HandClock(), []))
    with pytest.raises(SourceMissingError, match=r"'Blue Yeti' not there.*edge devices") as caught:
        next(Microphone(name="desk", role=Role.TEACHER, device="Blue Yeti", clock=HandClock()).items())

    assert "\n" not in str(caught.value)


def test_a_device_that_opens_at_no_rate_gives_the_drivers_reason_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """PortAudio's two-line message is joined."""
    sd = SoundDevice(HandClock(), [], rates=(44_100,), channels=0)
    monkeypatch.setitem(sys.modules, "sounddevice", sd)
    with pytest.raises(SourceMissingError, match=r"Invalid sample rate \[PaErrorCode -9997\]") as caught:
        next(Microphone(name="desk", role=Role.TEACHER, clock=HandClock()).items())

    assert "\n" not in str(caught.value)


def test_opening_again_looks_for_devices_plugged_in_since(monkeypatch: pytest.MonkeyPatch) -> None:
    """PortAudio lists devices once; a microphone plugged back in is found only after a rescan."""
    clock = HandClock()
    sd = SoundDevice(clock, parts(0.2, 16_000))
    monkeypatch.setitem(sys.modules, "sounddevice", sd)
    monkeypatch.setattr(microphone_module, "_SILENT_S", 0.0)
    source = Microphone(name="desk", role=Role.TEACHER, clock=clock)
    for _ in range(2):
        with pytest.raises(DeviceLostError):
            list(source.items())

    assert (sd.rescans, sd.closed) == (1, 2)


def test_a_rescan_never_closes_another_microphones_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one microphone runs, the other is opened again without touching PortAudio's list."""
    clock = HandClock()
    sd = SoundDevice(clock, parts(0.2, 16_000))
    monkeypatch.setitem(sys.modules, "sounddevice", sd)
    monkeypatch.setattr(microphone_module, "_SILENT_S", 0.0)
    running = Microphone(name="other", role=Role.STUDENTS, clock=clock).items()
    next(running)
    source = Microphone(name="desk", role=Role.TEACHER, clock=clock)
    for _ in range(2):
        with pytest.raises(DeviceLostError):
            list(source.items())
    running.close()  # type: ignore[attr-defined]  # an iterator that is a generator

    assert sd.rescans == 0


def test_missing_portaudio_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing sounddevice fails with OSError where the library isn't installed."""

    class Finder:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    with pytest.raises(SourceMissingError, match="PortAudio missing; apt install libportaudio2"):
        next(Microphone(name="desk", role=Role.TEACHER, clock=HandClock()).items())


def test_only_inputs_are_listed_and_the_default_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loudspeakers are no microphones."""
    monkeypatch.setitem(sys.modules, "sounddevice", SoundDevice(HandClock(), [], rates=(44_100,)))

    assert [(d.index, d.name, d.sample_rate, d.default) for d in input_devices()] == [
        (0, "USB microphone", 44_100, True)
    ]


def test_the_loopback_is_the_monitor_or_an_error_that_tells_how_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """PulseAudio and PipeWire call the loudspeakers' own sound a monitor."""
    monkeypatch.setitem(sys.modules, "sounddevice", SoundDevice(HandClock(), [], name="Monitor of Built-in Audio"))
    found = loopback_device()
    monkeypatch.setitem(sys.modules, "sounddevice", SoundDevice(HandClock(), []))

    assert found == 0
    with pytest.raises(SourceMissingError, match="pactl set-default-source"):
        loopback_device()
