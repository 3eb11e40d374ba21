"""Class-level mood from cameras and microphones, worked out on the box in the room."""

__version__ = "0.1.0"
