"""Where each kind of message goes."""

from dataclasses import dataclass

from edge.errors import SettingsError
from edge.role import Role

LONGEST_NAME = 64
"""Characters a site's or a room's name may have."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one box: ``edge/<site>/<room>/…``.

    Raises:
        SettingsError: A name can't be one level of a topic.
    """

    site: str
    """The school."""

    room: str
    """The classroom, unique in the school."""

    def __post_init__(self) -> None:
        for key, name in (("site", self.site), ("room", self.room)):
            _check(key, name)

    @property
    def root(self) -> str:
        """What all topics of the box begin with."""
        return f"edge/{self.site}/{self.room}"

    @property
    def state(self) -> str:
        """Retained: whether the box is there."""
        return f"{self.root}/state"

    @property
    def health(self) -> str:
        """How sources and models are doing."""
        return f"{self.root}/health"

    @property
    def alert(self) -> str:
        """Events: an alert began or ended."""
        return f"{self.root}/alert"

    @property
    def alerts_active(self) -> str:
        """Retained: the alerts that are raised now."""
        return f"{self.root}/alerts/active"

    @property
    def lesson(self) -> str:
        """Retained: the lesson that runs, or the one that ended last."""
        return f"{self.root}/lesson"

    @property
    def commands(self) -> str:
        """Filter of all topics on which the box is told what to do."""
        return self.command("+")

    def summary(self, role: Role) -> str:
        """Return where one role's window summaries go."""
        return f"{self.root}/summary/{role.value}"

    def command(self, name: str) -> str:
        """Return where one command is given."""
        return f"{self.root}/command/{name}"

    def response(self, name: str) -> str:
        """Return where one command is answered."""
        return f"{self.root}/response/{name}"

    def command_name(self, topic: str) -> str | None:
        """Return which command a topic is for; ``None`` when it is for none."""
        root, _, name = topic.rpartition("/")
        return name if name and root == f"{self.root}/command" else None


def _check(key: str, name: str) -> None:
    if not 1 <= len(name) <= LONGEST_NAME:
        raise SettingsError(f"must have 1 to {LONGEST_NAME} characters, got {len(name)}", key=key)
    if any(char in "/+#" for char in name):
        raise SettingsError(f"must not contain / + or #, which mean something else in a topic, got {name!r}", key=key)
    if not name.isprintable() or name != name.strip():
        raise SettingsError(f"must not contain control characters or begin or end with a space, got {name!r}", key=key)
