"""Files: media time, step of picture and sound, thinning, pacing, and what headers say."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from edge.capture.container import is_network, probe, shown
from edge.capture.recording import Recording
from edge.media import AudioBlock, Frame
from edge.role import Role
from tests.capture_fakes import HandClock, write_media

MEDIA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "media"


def read(path: Path, *, epoch_ns: int = 0, video_rate_hz: float | None = None) -> tuple[list[Frame], list[AudioBlock]]:
    """Return all frames and all sound of a file."""
    source = Recording(name="lesson", role=Role.STUDENTS, url=str(path), epoch_ns=epoch_ns, video_rate_hz=video_rate_hz)
    items = list(source.items())
    return [i for i in items if isinstance(i, Frame)], [i for i in items if isinstance(i, AudioBlock)]


@pytest.mark.parametrize(("suffix", "video", "audio"), [(".mp4", "libx264", "aac"), (".mkv", "mpeg4", "pcm_s16le")])
def test_a_file_gives_all_its_frames_and_sound_from_time_zero(
    tmp_path: Path, suffix: str, video: str, audio: str
) -> None:
    """Two seconds hold 50 frames and 32,000 samples, counted from the epoch."""
    frames, blocks = read(write_media(tmp_path / f"l{suffix}", video=video, audio=audio), epoch_ns=7_000_000_000)

    assert [f.sequence for f in frames] == list(range(50))
    assert [round((f.captured_ns - 7_000_000_000) / 1e9, 2) for f in frames] == [n / 25 for n in range(50)]
    assert blocks[0].start_ns == pytest.approx(7_000_000_000, abs=1_000_000)
    assert sum(len(b.samples) for b in blocks) == pytest.approx(32_000, abs=1100)
    assert not any(b.gap for b in blocks)


def test_picture_and_sound_are_in_step(tmp_path: Path) -> None:
    """A flash and the start of a tone at 1.2 s are found within 50 ms of each other, at 44.1 kHz."""
    path = write_media(tmp_path / "l.mkv", audio="pcm_s16le", rate=44_100, flash_s=1.2)
    frames, blocks = read(path)
    seen = next(f.captured_ns for f in frames if f.pixels.mean() > 128)
    sound = np.concatenate([b.samples for b in blocks])
    heard = blocks[0].start_ns + int(np.argmax(np.abs(sound) > 0.05)) * 1_000_000_000 // 16_000

    assert seen == pytest.approx(1_200_000_000, abs=1_000_000)
    assert abs(heard - seen) < 50_000_000


def test_items_come_merged_by_time_however_the_file_is_interleaved(tmp_path: Path) -> None:
    """No item is later than the next by more than the longest sound block."""
    source = Recording(name="l", role=Role.STUDENTS, url=str(write_media(tmp_path / "l.mp4")))
    times = [i.captured_ns if isinstance(i, Frame) else i.start_ns for i in source.items()]

    assert all(later - earlier >= 0 for earlier, later in itertools.pairwise(times))


def test_a_lower_rate_converts_fewer_frames_and_still_counts_all(tmp_path: Path) -> None:
    """Five a second of 25 are every fifth, with the numbers of the file."""
    frames, _ = read(write_media(tmp_path / "l.mp4"), video_rate_hz=5.0)

    assert [f.sequence for f in frames] == [0, 5, 10, 15, 20, 25, 30, 35, 40, 45]


def test_a_pause_in_the_sound_is_a_gap_in_place(tmp_path: Path) -> None:
    """Sound that a container skips is marked, and what follows keeps its own time."""
    path = write_media(tmp_path / "l.mkv", audio="pcm_s16le", pause_s=0.5)
    _, blocks = read(path)
    late = [b for b in blocks if b.gap]

    assert len(late) == 1
    assert late[0].start_ns == pytest.approx(1_536_000_000, abs=40_000_000)


def test_pictures_are_turned_upright(tmp_path: Path) -> None:
    """A phone held upright stores lying pictures and a matrix in the track header that turns them."""
    path = write_media(tmp_path / "l.mp4", audio=None, seconds=0.2)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # version and flags, times, ids, layer, volume: then nine 16.16 numbers
    unit = (65536).to_bytes(4, "big")
    minus = (-65536).to_bytes(4, "big", signed=True)
    data[at : at + 20] = bytes(4) + unit + bytes(4) + minus + bytes(4)
    path.write_bytes(data)
    frames, _ = read(path)

    assert frames[0].pixels.shape == (64, 48, 3)


def test_a_clock_paces_a_file_in_real_time(tmp_path: Path) -> None:
    """Items are stamped from the clock's now, and none is delivered before its time."""
    clock = HandClock(50_000_000_000)
    source = Recording(name="l", role=Role.STUDENTS, url=str(write_media(tmp_path / "l.mp4")), clock=clock)
    late = []
    for item in source.items():
        due = item.captured_ns if isinstance(item, Frame) else item.start_ns
        late.append(clock.now_ns() - due)

    assert all(0 <= each < 1_000_000 for each in late)
    assert clock.now_ns() == pytest.approx(52_000_000_000, abs=100_000_000)
    assert not source.live


@pytest.mark.parametrize(("video", "audio"), [("mpeg4", None), (None, "aac")])
def test_a_file_without_sound_or_without_pictures_is_fine(tmp_path: Path, video: str | None, audio: str | None) -> None:
    """What is there is delivered; what isn't is no error."""
    path = write_media(tmp_path / "l.mp4", video=video, audio=audio)
    frames, blocks = read(path)
    info = probe(str(path))

    assert (bool(frames), bool(blocks)) == (video is not None, audio is not None)
    assert (info.has_video, info.has_audio) == (video is not None, audio is not None)
    assert (info.width, info.height) == ((64, 48) if video else (None, None))


def test_probe_says_how_long_and_how_large(tmp_path: Path) -> None:
    """Headers alone answer, without decoding."""
    info = probe(str(write_media(tmp_path / "l.mp4")))

    assert info.duration_s == pytest.approx(2.0, abs=0.1)
    assert (info.width, info.height, info.fps) == (64, 48, 25.0)


def test_a_name_with_a_colon_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lesson of 10:30 is no address of a protocol called 10."""
    write_media(tmp_path / "10-30.mkv", seconds=0.2).rename(tmp_path / "10:30.mkv")
    monkeypatch.chdir(tmp_path)
    frames, _ = read(Path("10:30.mkv"))

    assert len(frames) == 5


def test_passwords_in_addresses_are_not_shown() -> None:
    """What is logged names the camera, never its password."""
    assert shown("rtsp://me:secret@10.0.0.5:554/main?a=1") == "rtsp://10.0.0.5:554/main?a=1"
    assert shown("lesson@home.mp4") == "lesson@home.mp4"
    assert [is_network(u) for u in ("rtsp://c", "https://c", "http.mp4", "file.mkv")] == [True, True, False, False]


def test_a_network_stream_is_live_only_with_a_clock() -> None:
    """Without a clock an address is a file elsewhere, and its end is an end."""
    url = "rtsp://10.0.0.5/main"

    assert Recording(name="c", role=Role.STUDENTS, url=url, clock=HandClock()).live
    assert not Recording(name="c", role=Role.STUDENTS, url=url).live


@pytest.mark.parametrize(
    ("name", "seconds", "sound"),
    [
        ("composed_anger", 3.52, True),
        ("composed_neutral", 3.72, True),
        ("one_face", 4.58, False),
        ("several_faces", 4.21, True),
    ],
)
def test_real_clips_are_read_to_their_end_in_step(name: str, seconds: float, *, sound: bool) -> None:
    """Length as the header says, sound where there is some, both starting and ending together."""
    path = MEDIA / f"{name}.mp4"
    if not path.exists():
        pytest.skip("the real clips are not on this machine")
    frames, blocks = read(path, video_rate_hz=5.0)
    info = probe(str(path))

    assert info.duration_s == pytest.approx(seconds, abs=0.05)
    assert info.has_audio is sound is bool(blocks)
    assert frames[0].captured_ns == 0
    if blocks:
        assert abs(blocks[0].start_ns - frames[0].captured_ns) < 50_000_000
        assert blocks[-1].end_ns / 1e9 == pytest.approx(seconds, abs=0.1)
        assert sum(len(b.samples) for b in blocks) / 16_000 == pytest.approx(
            (blocks[-1].end_ns - blocks[0].start_ns) / 1e9, abs=0.001
        )
