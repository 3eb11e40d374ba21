"""How many independent cases stand behind a share.

A face looked at fifty times is one person and not fifty, so looks are gathered in clusters: a face while it is
followed, or a window's length of speech. What counts is Kish's effective number over the clusters' weights:
the square of their sum over the sum of their squares (Kish, 1965, *Survey Sampling*). Equal weights give the number of
clusters; one that outweighs all others gives 1.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field

from edge.observation import VoiceObservation


@dataclass(slots=True, eq=False)
class Clusters:
    """Weights of clusters that come in pieces. Lives in memory only."""

    total: float = 0.0
    """Sum of all weights."""

    weights: dict[Hashable, float] = field(default_factory=dict, repr=False)
    """Of those that may still grow."""

    retired: float = 0.0
    """Sum of the squared weights of those that are over."""

    at_once: dict[str, int] = field(default_factory=dict)
    """A source: the most clusters in one look."""

    def add(self, cluster: Hashable, weight: float) -> None:
        """Count a piece of one cluster; *weight* is not negative."""
        self.total += weight
        self.weights[cluster] = self.weights.get(cluster, 0.0) + weight

    def add_alone(self, weight: float) -> None:
        """Count a cluster of one piece."""
        self.total += weight
        self.retired += weight**2

    def saw(self, source: str, count: int) -> None:
        """Take in how many clusters one look of *source* showed."""
        if count > self.at_once.get(source, 0):
            self.at_once[source] = count

    def merge(self, other: "Clusters", factor: float) -> None:
        """Count everything in *other*, its weights times *factor*."""
        self.total += factor * other.total
        self.retired += factor**2 * other.retired
        for cluster, weight in other.weights.items():
            self.weights[cluster] = self.weights.get(cluster, 0.0) + factor * weight
        for source, count in other.at_once.items():
            self.saw(source, count)

    def retire(self, cluster: Hashable) -> None:
        """Forget a cluster that is over, and keep what it weighed; it may be unknown."""
        self.retired += self.weights.pop(cluster, 0.0) ** 2

    @property
    def squares(self) -> float:
        """Sum of the squared weights.

        Never so small that there would be more people than were seen at once: a face that is lost and found again is a
        new cluster and no new person.
        """
        found = self.retired + sum(weight**2 for weight in self.weights.values())
        people = sum(self.at_once.values())
        return max(found, self.total**2 / people) if people else found

    @property
    def effective(self) -> float:
        """Kish's number; 0 without any weight."""
        return effective(self.total, self.squares)


def effective(total: float, squares: float) -> float:
    """Return Kish's number of weights with this sum and this sum of squares; 0 without any weight."""
    if total <= 0:
        return 0.0
    # Squares of the smallest weights are rounded to nothing.
    return max(total**2 / squares, 1.0) if squares > 0 else 1.0


@dataclass(slots=True, eq=False)
class Utterances:
    """Gathers windows of sound in clusters of one window's length of speech.

    Windows overlap, so neighbours hear the same words; and one who speaks for long says one thing after another.
    """

    spoken: dict[str, tuple[int, float]] = field(default_factory=dict)
    """A source: its present cluster, and the seconds of speech in it."""

    def cluster(self, sound: VoiceObservation, speech_s: float) -> tuple[str, int]:
        """Return the cluster of a source's next window, which adds *speech_s* seconds to it."""
        number, before_s = self.spoken.get(sound.source, (0, 0.0))
        if before_s >= (sound.end_ns - sound.start_ns) / 1e9 - 1e-9:  # Rounding of sums of shares.
            number, before_s = number + 1, 0.0
        self.spoken[sound.source] = number, before_s + speech_s
        return sound.source, number
