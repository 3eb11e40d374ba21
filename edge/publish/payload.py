"""What the messages say, all in one place: one model a topic."""

from edge.publish.alert_payload import MOST_ALERTS, ActiveAlertsPayload, AlertPayload
from edge.publish.box_payload import HealthPayload, LessonPayload, Presence, StatePayload
from edge.publish.summary_payload import SummaryPayload
from edge.publish.wire import LARGEST, Payload, PayloadError, parse

__all__ = [
    "LARGEST",
    "MOST_ALERTS",
    "ActiveAlertsPayload",
    "AlertPayload",
    "HealthPayload",
    "LessonPayload",
    "Payload",
    "PayloadError",
    "Presence",
    "StatePayload",
    "SummaryPayload",
    "parse",
]
