#!/usr/bin/env python3
"""What skipping still faces saves: still_faces.py CLIP|simulated:LESSON ... [--seconds N].

Each recording is looked at twice, five times a second: once reading every face at every look, once reusing the reading
of a face that kept still. Printed: the share of readings saved, the time of a look, and how far the shares differ.
"""

import argparse
import time

import numpy as np

from edge.media import Frame
from edge.observation import Emotion
from edge.recorded import open_recording
from edge.role import Role
from edge.service import StageOptions, make_vision


def look(name: str, seconds: float, still_s: float) -> tuple[float, float, "np.typing.NDArray[np.float64]", int]:
    """Return the share of readings saved, milliseconds a look, mean shares, shape (7,), and faces seen."""
    stage = make_vision(StageOptions(still_s=still_s))
    spent, sums, faces = [], np.zeros(len(Emotion)), 0
    source = open_recording(name, role=Role.STUDENTS, video_rate_hz=10.0)
    for item in source.items():
        if not isinstance(item, Frame):
            continue
        if item.captured_ns > seconds * 1e9:
            break
        begun = time.perf_counter()
        seen = stage.observe(item)
        if seen is None:
            continue
        spent.append((time.perf_counter() - begun) * 1e3)
        for face in seen:
            faces += 1
            if face.emotion is not None:
                sums += face.emotion.probabilities
    source.close()
    saved = stage.still.reused / max(stage.still.asked, 1)
    return saved, float(np.median(spent)), sums / max(sums.sum(), 1e-9), faces


def main() -> None:
    """Look at each recording twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", nargs="+")
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    for name in options.recordings:
        _, every_ms, every, faces = look(name, options.seconds, 0.0)
        saved, skipping_ms, skipping, _ = look(name, options.seconds, 1.0)
        print(
            f"{name}: {faces} faces, {saved:.0%} of the readings saved, {every_ms:.1f} -> {skipping_ms:.1f} ms a look,"
        )
        print(f"  shares differ by at most {np.abs(every - skipping).max():.3f}")


if __name__ == "__main__":
    main()
