#!/usr/bin/env python3
"""What fusion costs: its share of one core at 30 faces, 10 looks a second, and two microphones.

fusion.py [--faces N] [--fps N] [--seconds N]

The observations are made beforehand, so only adding them and closing the windows is measured: processor time over the
time of the lesson. Every face has an emotion, a pose and a motion, and its track breaks off now and then.
"""

import argparse
import time
from datetime import UTC, datetime, timedelta

import numpy as np

from edge.fusion.aggregator import Aggregator, Windows
from edge.fusion.coverage import Look
from edge.fusion.evidence import Reliability
from edge.fusion.tally import Tally
from edge.observation import Emotion, EmotionDistribution, FaceObservation, HeadPose, VoiceObservation
from edge.role import Role

SECOND = 1_000_000_000
BEGUN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def make_looks(faces: int, fps: float, seconds: float) -> list[Look]:
    """Return the students' looks."""
    random = np.random.default_rng(1)
    looks = []
    for number in range(round(seconds * fps)):
        at_ns = round(number / fps * SECOND)
        seen = []
        for face in range(faces):
            yaw, pitch, motion = random.normal(0, (30, 15, 0.1))
            seen.append(
                FaceObservation(
                    captured_ns=at_ns,
                    source="cam",
                    role=Role.STUDENTS,
                    box_xyxy=(0.1, 0.1, 0.2, 0.2),
                    confidence=0.9,
                    track_id=face + faces * (number // 300),
                    span_ns=round(SECOND / fps),
                    emotion=EmotionDistribution.of(random.dirichlet(np.full(len(Emotion), 0.5))),
                    pose=HeadPose(float(yaw), float(pitch), 0.0),
                    motion=abs(float(motion)),
                )
            )
        looks.append(Look(at_ns, "cam", Role.STUDENTS, tuple(seen)))
    return looks


def make_sounds(seconds: float) -> list[VoiceObservation]:
    """Return a window a second of both roles' microphones."""
    random = np.random.default_rng(2)
    return [
        VoiceObservation(
            start_ns=(end_s - 3) * SECOND,
            end_ns=end_s * SECOND,
            source=role.value,
            role=role,
            speech_ratio=0.8,
            hop_speech_ratio=float(random.choice([0.0, 0.9])),
            level_dbfs=-30.0,
            hop_level_dbfs=float(random.uniform(-60, -20)),
            span_ns=SECOND,
            gap=False,
            emotion=EmotionDistribution.of(random.dirichlet(np.full(len(Emotion), 0.5))),
        )
        for end_s in range(3, int(seconds))
        for role in Role
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=30)
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=120.0)
    options = parser.parse_args()
    items: list[Look | VoiceObservation] = [
        *make_looks(options.faces, options.fps, options.seconds),
        *make_sounds(options.seconds),
    ]
    items.sort(key=lambda item: item.at_ns if isinstance(item, Look) else item.end_ns)
    aggregator = Aggregator(
        epoch_ns=0,
        to_utc=lambda at_ns: BEGUN + timedelta(microseconds=at_ns / 1000),
        windows=Windows(),
        reliability=Reliability(),
    )
    tally = Tally()
    adding = closing = tallying = 0.0
    windows = 0
    for item in items:
        begun = time.process_time()
        if isinstance(item, Look):
            aggregator.add_look(item)
            at_ns = item.at_ns
        else:
            aggregator.add_sound(item)
            at_ns = item.end_ns
        added = time.process_time()
        windows += len(aggregator.advance(at_ns - SECOND * 4 // 5))
        closed = time.process_time()
        if isinstance(item, Look):
            tally.add_look(item)
        else:
            tally.add_sound(item)
        adding, closing = adding + added - begun, closing + closed - added
        tallying += time.process_time() - closed
    print(
        f"{options.faces} faces, {options.fps:g} looks a second, {options.seconds:g} s, {windows} windows of both roles"
    )
    print(f"adding   {adding / options.seconds:.2%} of one core")
    print(f"closing  {closing / options.seconds:.2%} of one core, {closing / max(windows, 1) * 1e3:.1f} ms a window")
    print(f"together {(adding + closing) / options.seconds:.2%} of one core")
    print(f"tally    {tallying / options.seconds:.2%} of one core (a recording's whole; not live)")


if __name__ == "__main__":
    main()
