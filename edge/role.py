"""Whom a source looks at or listens to."""

from enum import StrEnum


class Role(StrEnum):
    """Whom a source is pointed at; nothing finer is ever known about a person."""

    STUDENTS = "students"
    TEACHER = "teacher"
