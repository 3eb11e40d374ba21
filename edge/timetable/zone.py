"""Time zones by name."""

from zoneinfo import ZoneInfo

from edge.errors import SettingsError


def zone(name: str, *, key: str) -> ZoneInfo:
    """Return a time zone.

    Args:
        name: As in the IANA database.
        key: Where the name stands, for the error.

    Raises:
        SettingsError: There is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not there; no name; a folder of the database
        raise SettingsError(f"no time zone {name[:64]!r}; give one such as Europe/Vienna", key=key) from None
