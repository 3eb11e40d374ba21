"""A class that nobody is in, through the real pipeline, to a broker of its own, read back by a subscriber."""

import threading
import time

from rich.console import Console
from rich.live import Live

from edge.alerts.rules import Rule
from edge.capture.lesson import read_lesson
from edge.capture.simulated import SimulatedClassroom
from edge.clock import SystemClock, utc_now
from edge.config import SourceKind
from edge.errors import BrokerError
from edge.fusion.aggregator import Windows
from edge.pipeline import Pipeline
from edge.publish.embedded_broker import EmbeddedBroker
from edge.publish.mqtt import MqttPublisher
from edge.publish.outbox import Outbox
from edge.publish.subscriber import Subscriber
from edge.publish.topics import Topics
from edge.service import StageOptions, make_feed, make_pipeline
from edge.summary import new_lesson
from edge.terminal import LineView, LiveView

LESSON = "demo"
HOLD_S = 6.0
"""Shorter than a real box's, so that a minute shows an alert come and go."""


def run_demo(*, console: Console, stop: threading.Event, seconds: float | None, port: int, ws_port: int) -> None:
    """Run until the lesson ends, *seconds* have passed or *stop* is set; print what a subscriber received.

    Args:
        console: Draws a live view in a terminal and prints lines elsewhere.
        stop: Set from outside to end early.
        seconds: Longest time; ``None`` for the lesson's own.
        port: MQTT port on the loopback; a free one is taken when it is in use.
        ws_port: The same for WebSocket.
    """
    broker = _start_broker(port, ws_port)
    topics = Topics(site="demo", room="simulated")
    outbox = Outbox(None)
    publisher = MqttPublisher(host=broker.host, port=broker.port, topics=topics, outbox=outbox)
    subscriber = Subscriber(host=broker.host, port=broker.port, topics=topics)
    clock = SystemClock()
    try:
        console.print("Nobody in this class is real: the faces are drawn, the voices made up.", style="italic")
        where = f"mqtt://{broker.host}:{broker.port} and ws://{broker.host}:{broker.websocket_port}"
        console.print(f"Summaries and alerts: {where}, topic {topics.root}/#", highlight=False, soft_wrap=True)
        publisher.start()
        subscriber.start()
        view = LiveView(title="simulated class") if console.is_terminal else LineView(console)
        source = SimulatedClassroom(lesson=read_lesson(LESSON), fps=10.0, clock=clock)
        pipeline = make_pipeline(
            [make_feed(source, StageOptions(), kind=SourceKind.SIMULATED)],
            rules=[Rule(hold_s=HOLD_S)],
            windows=Windows(),
            policy=None,
            sinks=[view, publisher],
            clock=clock,
            lesson=new_lesson(utc_now()),
        )
        pipeline.start()
        try:
            _watch(pipeline, view, subscriber, console=console, stop=stop, seconds=seconds)
        finally:
            pipeline.stop()
            pipeline.wait()
            publisher.close()
        _conclude(console, pipeline, subscriber)
    finally:
        subscriber.stop()
        publisher.close()
        broker.stop()
        outbox.close()


def _start_broker(port: int, ws_port: int) -> EmbeddedBroker:
    """Start on the ports asked for, or on free ones when another broker is there already."""
    broker = EmbeddedBroker(port=port, websocket_port=ws_port)
    try:
        broker.start()
    except BrokerError:
        broker = EmbeddedBroker(port=0, websocket_port=0)
        broker.start()
    return broker


def _watch(
    pipeline: Pipeline,
    view: LiveView | LineView,
    subscriber: Subscriber,
    *,
    console: Console,
    stop: threading.Event,
    seconds: float | None,
) -> None:
    """Draw until the end."""
    end = None if seconds is None else time.monotonic() + seconds
    if isinstance(view, LiveView):
        with Live(view.draw(), console=console, refresh_per_second=4) as live:
            while not _over(pipeline, stop, end):
                received = f"MQTT subscriber: {subscriber.summaries} summaries, {len(subscriber.alerts)} alert messages"
                live.update(view.draw(pipeline.health(), received))
    else:
        while not _over(pipeline, stop, end):
            pass


def _over(pipeline: Pipeline, stop: threading.Event, end: float | None) -> bool:
    return pipeline.wait(timeout_s=0.25) or stop.is_set() or (end is not None and time.monotonic() >= end)


def _conclude(console: Console, pipeline: Pipeline, subscriber: Subscriber) -> None:
    """Print what came out at the other end of the wire."""
    health = pipeline.health()
    source = health.sources[0]
    console.print(
        f"{source.frames} frames, {source.dropped_frames} skipped, {source.lost_audio_s:.1f} s of sound lost; "
        f"a look took {health.vision_ms or 0:.0f} ms, a window of sound {health.voice_ms or 0:.1f} ms",
        highlight=False,
        soft_wrap=True,
    )
    alerts = ", ".join(f"{alert.rule} {alert.state} at {alert.at_s:.0f} s" for alert in subscriber.alerts)
    console.print(
        f"MQTT subscriber received {subscriber.summaries} summaries and {len(subscriber.alerts)} alert messages"
        f"{': ' + alerts if alerts else ''}",
        highlight=False,
        soft_wrap=True,
    )
