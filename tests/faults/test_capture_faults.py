"""Damaged media and devices that fail: what was good is delivered, and one line says what happened."""

import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest

from edge.capture.container import probe
from edge.capture.recording import Recording
from edge.clock import SystemClock
from edge.errors import DeviceLostError, MediaError, SourceError, SourceMissingError
from edge.media import AudioBlock, Frame
from edge.role import Role
from tests.capture_fakes import camera, picture, write_media


def recording(path: Path) -> Recording:
    """Return the file as a source."""
    return Recording(name="lesson", role=Role.STUDENTS, url=str(path))


def until_error(path: Path, error: type[SourceError]) -> tuple[list[Frame | AudioBlock], str]:
    """Return what a file delivers and the line it ends with."""
    items: list[Frame | AudioBlock] = []
    with pytest.raises(error) as caught:
        items.extend(recording(path).items())
    line = str(caught.value)
    assert "\n" not in line
    assert str(path) in line
    return items, line


def last_s(items: list[Frame | AudioBlock]) -> float:
    """Return the media time of the last item in seconds."""
    return max(i.captured_ns if isinstance(i, Frame) else i.end_ns for i in items) / 1e9


@contextmanager
def served(data: bytes) -> Iterator[int]:
    """Serve some bytes on the loopback to whoever asks; yield the port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(10.0)


def noise(length: int) -> bytes:
    """Return bytes that mean nothing."""
    return np.random.default_rng(7).bytes(length)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A wrong path is missing, not damaged; so is a folder."""
    _, line = until_error(tmp_path / "lesson.mp4", SourceMissingError)
    assert "not there" in line

    _, line = until_error(tmp_path, SourceMissingError)
    assert "a folder" in line


def test_an_empty_file(tmp_path: Path) -> None:
    """Nothing was copied."""
    path = tmp_path / "lesson.mp4"
    path.touch()

    assert "empty (0 bytes)" in until_error(path, MediaError)[1]


@pytest.mark.parametrize("name", ["lesson.mp4", "lesson.mkv", "notes.txt", "lesson.mp3"])
@pytest.mark.parametrize("content", [noise(200_000), b"Dear parents,\n" * 500])
def test_bytes_that_are_no_media(tmp_path: Path, name: str, content: bytes) -> None:
    """Neither noise nor a letter is a lesson, whatever it is called."""
    path = tmp_path / name
    path.write_bytes(content)
    items, _ = until_error(path, MediaError)

    assert not [i for i in items if isinstance(i, Frame)]


def test_subtitles_hold_neither_pictures_nor_sound(tmp_path: Path) -> None:
    """A container without what we read is named as such, by probe as well."""
    path = tmp_path / "lesson.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\nGood morning.\n", encoding="utf-8")

    assert "neither pictures nor sound" in until_error(path, MediaError)[1]
    with pytest.raises(MediaError, match="neither pictures nor sound"):
        probe(str(path))


def test_an_mp4_whose_recording_was_cut_off(tmp_path: Path) -> None:
    """Without its index, which is written last, nothing can be read."""
    path = write_media(tmp_path / "lesson.mp4")
    path.write_bytes(path.read_bytes()[:-3000])

    assert "cut off" in until_error(path, MediaError)[1]


@pytest.mark.parametrize(("suffix", "options"), [(".mp4", {"movflags": "faststart"}), (".mkv", {})])
def test_a_file_copied_by_half(tmp_path: Path, suffix: str, options: dict[str, str]) -> None:
    """The first half is delivered, and the error names the second it ends at."""
    path = write_media(tmp_path / f"lesson{suffix}", seconds=4.0, options=options)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    items, line = until_error(path, MediaError)
    match = re.search(r"damaged after (\d+\.\d) s; what came before was analysed", line)

    assert match is not None
    assert 1.0 < float(match[1]) < 3.0
    assert last_s(items) == pytest.approx(float(match[1]), abs=0.1)


@pytest.mark.parametrize(("suffix", "options"), [(".mp4", {"movflags": "faststart"}), (".mkv", {})])
@pytest.mark.parametrize("video", ["libx264", "mpeg4"])
def test_damage_from_the_middle_on(tmp_path: Path, suffix: str, options: dict[str, str], video: str) -> None:
    """What came before is delivered, and nothing made of the noise after it."""
    path = write_media(tmp_path / f"lesson{suffix}", seconds=4.0, video=video, options=options)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + noise(len(data) - len(data) // 2))
    items, line = until_error(path, MediaError)

    assert "damaged after" in line
    assert last_s(items) > 1.0


def test_damage_in_the_middle_of_a_container_that_recovers(tmp_path: Path) -> None:
    """Matroska finds its way again: both ends are delivered, and the error names the hole between them."""
    path = write_media(tmp_path / "lesson.mkv", seconds=6.0, video="libx264", size=(160, 120))
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) * 2 // 3] = noise(len(data) * 2 // 3 - len(data) // 3)
    path.write_bytes(data)
    items, line = until_error(path, MediaError)

    assert re.search(r"damaged after [12]\.\d s, readable again from [34]\.\d s", line)
    assert [i.gap for i in items if isinstance(i, AudioBlock)].count(True) == 1
    assert last_s(items) == pytest.approx(6.0, abs=0.1)


def test_packets_that_decode_to_nothing_for_over_a_second_are_damage(tmp_path: Path) -> None:
    """With the index intact, the decoder gives up at the first second of noise, not at the end of the lesson."""
    path = write_media(tmp_path / "lesson.mp4", seconds=6.0, video="libx264", options={"movflags": "faststart"})
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) * 2 // 3] = noise(len(data) * 2 // 3 - len(data) // 3)
    path.write_bytes(data)
    items, line = until_error(path, MediaError)

    assert "what came before was analysed" in line
    assert last_s(items) < 4.0


def test_a_scratch_is_stepped_over(tmp_path: Path) -> None:
    """A few bad bytes cost a few frames, not the lesson."""
    path = write_media(tmp_path / "lesson.mp4", seconds=4.0, video="libx264", options={"movflags": "faststart"})
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 200] = noise(200)
    path.write_bytes(data)
    frames = [i for i in recording(path).items() if isinstance(i, Frame)]

    assert 90 <= len(frames) <= 100
    assert frames[-1].captured_ns == 3_960_000_000


def test_one_pixel_of_video(tmp_path: Path) -> None:
    """The smallest picture there is passes through."""
    path = write_media(tmp_path / "dot.mkv", video="ffv1", audio=None, size=(1, 1), seconds=0.4)
    frames = [i for i in recording(path).items() if isinstance(i, Frame)]

    assert [f.pixels.shape for f in frames] == [(1, 1, 3)] * 10


def test_the_decoders_noise_stays_off_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """FFmpeg writes a line for each damaged block; the user gets our one."""
    path = write_media(tmp_path / "lesson.mp4", video="libx264", options={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 3] + noise(len(data) * 2 // 3))
    until_error(path, MediaError)

    assert capfd.readouterr() == ("", "")


def test_a_reader_that_stops_early_leaves_the_file_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both openings of the file are closed when the reader walks away."""
    opened: list[av.container.InputContainer] = []
    real = av.open

    def remember(*args: object, **kwargs: object) -> av.container.InputContainer:
        opened.append(real(*args, **kwargs))  # type: ignore[call-overload]
        return opened[-1]

    monkeypatch.setattr(av, "open", remember)
    items = recording(write_media(tmp_path / "lesson.mp4")).items()
    opened.clear()
    next(items)
    items.close()  # type: ignore[attr-defined]  # an iterator that is a generator

    assert len(opened) == 2
    for container in opened:
        with pytest.raises(AssertionError, match="not open"):
            next(container.demux())


def test_a_camera_that_vanishes_is_lost_and_released_and_can_come_back() -> None:
    """What it showed is delivered; opening it again starts a new capture."""
    source, opened = camera([picture(1), picture(2)])
    for attempt in (1, 2):
        frames: list[Frame] = []
        with pytest.raises(DeviceLostError, match=r"/dev/video97: no more images"):
            frames.extend(source.items())
        assert len(frames) == 2
        assert len(opened) == attempt
        assert opened[-1].released


def test_a_camera_that_sends_only_rubbish_is_lost() -> None:
    """Images that can't be decoded for longer than two seconds count as none."""
    source, opened = camera([None] * 40)
    with pytest.raises(DeviceLostError, match="no usable image for 2 s"):
        list(source.items())

    assert opened[0].released


def test_a_camera_that_is_not_there_says_how_to_find_one(capfd: pytest.CaptureFixture[str]) -> None:
    """One line names the device and the command, and OpenCV says nothing."""
    source, opened = camera([], there=False)
    with pytest.raises(SourceMissingError, match="/dev/video97 not there; plug the camera in"):
        list(source.items())

    assert opened[0].released
    assert capfd.readouterr() == ("", "")


def test_a_network_camera_that_refuses_is_missing_without_its_password() -> None:
    """The line names the address, not the way in."""
    url = "rtsp://me:secret@127.0.0.1:9/main"
    source = Recording(name="c", role=Role.STUDENTS, url=url, clock=SystemClock(), timeout_s=1.0)
    with pytest.raises(SourceMissingError, match=r"rtsp://127\.0\.0\.1:9/main: can't be opened") as caught:
        next(source.items())

    assert "secret" not in str(caught.value)


def test_a_live_stream_that_ends_is_lost(tmp_path: Path) -> None:
    """A camera has no last frame: when it hangs up, it is opened again. Stamps are those of arrival."""
    data = write_media(tmp_path / "lesson.mkv", seconds=1.0).read_bytes()
    clock = SystemClock()
    before = clock.now_ns()
    items: list[Frame | AudioBlock] = []
    with served(data) as port:
        url = f"http://127.0.0.1:{port}/lesson.mkv"
        source = Recording(name="c", role=Role.STUDENTS, url=url, clock=clock, timeout_s=5.0)
        with pytest.raises(DeviceLostError, match="the stream ended"):
            items.extend(source.items())

    assert len([i for i in items if isinstance(i, Frame)]) == 25
    assert all(before <= i.captured_ns <= clock.now_ns() for i in items if isinstance(i, Frame))
    assert source.live
