#!/usr/bin/env python3
"""The whole: analysis against real time, and the live service's share of a core and memory.

pipeline.py [--seconds N]

Analysis: the standard simulated lesson (12 faces, 1280x720, 25 frames a second, sound) is encoded to a file as a camera
would, and `edge analyze` runs over it on two cores. Live: the same class at 10 frames a second through every thread of
the service, store and publisher included, in a process of its own that is watched from outside.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import av
import numpy as np

from edge.capture.lesson import read_lesson
from edge.capture.simulated import SimulatedClassroom
from edge.media import SAMPLE_RATE, Frame

SETTINGS = """
state = "{folder}/edge.db"
[privacy]
mode = "emotion"
jurisdiction = "CH"
purpose = "research"
responsible = "bench"
decided_on = 2026-02-01
[mqtt]
port = {port}
[[sources]]
name = "class"
kind = "simulated"
lesson = "demo"
fps = 10
"""


def encode(target: Path, seconds: float) -> None:
    """Write the simulated class as H.264 and AAC."""
    source = SimulatedClassroom(lesson=read_lesson("standard"), fps=25.0)
    with av.open(str(target), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "20"})
        video.width, video.height, video.pix_fmt = 1280, 720, "yuv420p"
        audio = container.add_stream("aac", rate=SAMPLE_RATE)
        audio.layout = "mono"
        heard = 0
        for item in source.items():
            if isinstance(item, Frame):
                if item.captured_ns > seconds * 1e9:
                    break
                container.mux(video.encode(av.VideoFrame.from_ndarray(item.pixels, format="rgb24")))
            else:
                sound = av.AudioFrame.from_ndarray(np.array(item.samples)[None], format="fltp", layout="mono")
                sound.sample_rate, sound.pts = SAMPLE_RATE, heard
                heard += len(item.samples)
                container.mux(audio.encode(sound))
        source.close()
        container.mux(video.encode())
        container.mux(audio.encode())


def analysis(seconds: float) -> None:
    """Measure `edge analyze` as a whole process."""
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "class.mp4"
        encode(clip, seconds)
        begun = time.perf_counter()
        command = [sys.executable, "-m", "edge", "analyze", str(clip), "--json"]
        line = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        wall = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    factor = line["realtime_factor"]
    print(f"analysis: {line['duration_s']:.0f} s of 720p25 with 12 faces at {factor:.1f} times real time")
    print(f"  ({line['duration_s'] / wall:.1f} with the process's start), {peak:.0f} MB at most")


def live(seconds: float) -> None:
    """Measure `edge run` from outside, after its start."""
    from edge.publish.embedded_broker import EmbeddedBroker  # noqa: PLC0415 - the analysis needs none

    broker = EmbeddedBroker(port=0, websocket_port=0)
    broker.start()
    waiting = threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "edge.toml"
        config.write_text(SETTINGS.format(folder=folder, port=broker.port))
        process = subprocess.Popen([sys.executable, "-m", "edge", "run", "--config", str(config)])
        try:
            waiting.wait(8.0)
            spent, begun = _cpu_s(process.pid), time.perf_counter()
            waiting.wait(seconds)
            cores = (_cpu_s(process.pid) - spent) / (time.perf_counter() - begun)
            resident = _resident_mb(process.pid)
        finally:
            process.terminate()
            process.wait(20)
            broker.stop()
    print(f"live: 12 faces at 720p, 10 frames a second: {cores:.2f} of a core, {resident:.0f} MB resident")
    print("  (drawing the simulated class and making its sound is part of both figures)")


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    for row in Path(f"/proc/{pid}/status").read_text().splitlines():
        if row.startswith("VmHWM"):
            return int(row.split()[1]) / 1024
    raise RuntimeError("the kernel does not say how much memory the process holds")


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    analysis(options.seconds)
    live(options.seconds / 2)


if __name__ == "__main__":
    main()
