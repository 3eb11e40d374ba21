"""What can be observed of a class's taking part, part by part.

``docs/engagement.md`` has each formula, what it rests on, and what it can't know.
"""

from statistics import fmean

from edge.behaviour import Behaviour, Component, Engagement
from edge.fusion.talk import Talk
from edge.role import Role
from edge.summary import ModalitySummary

FULL_TALK_SHARE = 0.5
"""Students' share of all talk that counts in full; a third is common (Flanders, 1970)."""

HALF_TURNS_PER_MIN = 2.0
"""Changes of speaker a minute that count as half."""

HALF_MOVEMENT = 0.5
"""Motion of the middle face, face widths a second, that counts as half as still; a sitting head sways about a tenth."""

NOISY_DB = 20.0
"""Decibels above the room's own quiet at which nothing is left of its calm.

As far apart are the quietest and the noisiest activities in classrooms (Shield & Dockrell, 2004).
"""

_LEAST_TALK_S = 1.0


def engagement(behaviour: Behaviour, fused: ModalitySummary, sound: Talk) -> Engagement | None:
    """Return the parts that have evidence.

    Args:
        behaviour: Of the students.
        fused: Their emotion shares.
        sound: Of both roles.

    Returns:
        ``None`` when no part has.
    """
    parts = (_attention(behaviour), _participation(sound), _positive(fused), _calm(behaviour, sound))
    found = tuple(part for part in parts if part is not None)
    return Engagement(found) if found else None


def _attention(behaviour: Behaviour) -> Component | None:
    if behaviour.attention is None:
        return None
    return Component("attention", behaviour.attention, behaviour.attention_people, "people")


def _participation(sound: Talk) -> Component | None:
    students, teacher = sound.talk[Role.STUDENTS], sound.talk[Role.TEACHER]
    if students is None or teacher is None:
        return None
    spoken = students + teacher
    if spoken * sound.heard_s < _LEAST_TALK_S:
        return None  # Silent work is no lack of taking part.
    parts = [min(1.0, students / spoken / FULL_TALK_SHARE)]
    if sound.turns_per_min is not None:
        parts.append(sound.turns_per_min / (sound.turns_per_min + HALF_TURNS_PER_MIN))
    return Component("participation", fmean(parts), sound.heard_s, "seconds of sound")


def _positive(fused: ModalitySummary) -> Component | None:
    if fused.shares is None:
        return None
    return Component("positive", fused.shares.positive_share, fused.effective, "people")


def _calm(behaviour: Behaviour, sound: Talk) -> Component | None:
    still = None if behaviour.movement is None else HALF_MOVEMENT / (HALF_MOVEMENT + behaviour.movement)
    quiet = None if sound.noise_db is None else max(0.0, 1 - sound.noise_db / NOISY_DB)
    parts = [part for part in (still, quiet) if part is not None]
    if not parts:
        return None
    if still is None:
        return Component("calm", fmean(parts), sound.noise_s, "seconds of sound")
    return Component("calm", fmean(parts), behaviour.movement_people, "people")
