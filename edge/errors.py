"""Everything the package raises on purpose.

::

    EdgeError
    ├── SettingsError           a settings file or option that can't be used
    ├── ModelError              a model file or sidecar that can't be used
    ├── SourceError
    │   ├── SourceMissingError  the device, file, driver or package isn't there
    │   ├── DeviceLostError     it was there and went away; worth trying again
    │   └── MediaError          it is there, but what it holds can't be read
    ├── BrokerError             the MQTT broker can't be reached, or refused
    └── StoreError              the database can't be read or written

The text of each is one line that says what, where, and what to do.
"""


class EdgeError(Exception):
    """Base of all errors raised on purpose."""


class SettingsError(EdgeError):
    """Raised when settings can't be used.

    Args:
        message: What is wrong and what would be right.
        key: Dotted path of the offending key, empty when the whole file is meant.
    """

    def __init__(self, message: str, *, key: str = "") -> None:
        super().__init__(f"{key}: {message}" if key else message)
        self.key = key


class ModelError(EdgeError):
    """Raised when a model file or its sidecar is missing, damaged or of another kind."""


class SourceError(EdgeError):
    """Base of what goes wrong between a device or file and its ring."""


class SourceMissingError(SourceError):
    """Raised when a device, file, driver or optional package isn't there."""


class DeviceLostError(SourceError):
    """Raised when a source that had been delivering stops; the caller may open it again."""


class MediaError(SourceError):
    """Raised when a file or stream can't be decoded."""


class BrokerError(EdgeError):
    """Raised when the MQTT broker can't be reached or refuses the connection."""


class StoreError(EdgeError):
    """Raised when the database can't be opened, read or written."""
