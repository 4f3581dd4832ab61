"""What a row found, as lines of a table with their bars."""

from dataclasses import dataclass, field
from typing import Callable

from measure import Cost


@dataclass(frozen=True)
class Bar:
    """What has to come out of a line: its words, the ratio's words, and whether it did."""

    words: str
    ratio: Callable[[Cost, float], str]
    met: Callable[[Cost, float], bool]
    times: float = 0  # how many times faster, where that is the promise


def at_least(times):
    """At least so many times faster than the peer."""
    ratio = lambda ours, peer: f"{peer / ours.wall:.1f}× faster"
    return Bar(f"≥ {times:g}×", ratio, lambda ours, peer: peer / ours.wall >= times, times)


def at_most(times):
    """At most so many times what the peer takes."""
    return Bar(f"≤ {times:g}×", lambda ours, peer: f"{ours.wall / peer:.2f}×", lambda ours, peer: ours.wall / peer <= times)


def seconds_at_most(seconds):
    """At most so many seconds."""
    return Bar(f"≤ {seconds * 1000:g} ms", lambda ours, _: "", lambda ours, _: ours.wall <= seconds)


def mebibytes_at_most(mebibytes):
    """At most so much memory at the peak."""
    return Bar(f"≤ {mebibytes:.0f} MiB", lambda ours, _: f"{ours.memory:.0f} MiB", lambda ours, _: ours.memory <= mebibytes)


@dataclass(frozen=True)
class Line:
    """One line: remint's cost, what it is held against and what that costs, and the bar."""

    work: str
    ours: Cost
    peer: str
    theirs: Cost
    bar: Bar
    others: dict = field(default_factory=dict)

    @property
    def met(self):
        """Whether the bar was met."""
        return self.bar.met(self.ours, self.theirs.wall)

    @property
    def cells(self):
        """The cells of the table."""
        against = f"{self.peer} {duration(self.theirs.wall)}" if self.theirs.wall else self.peer
        if self.others:
            against += " (" + ", ".join(f"{peer} {duration(cost.wall)}" for peer, cost in self.others.items()) + ")"
        return [
            self.work,
            duration(self.ours.wall),
            duration(self.ours.cpu),
            against,
            self.bar.ratio(self.ours, self.theirs.wall),
            f"{self.ours.cpu / self.theirs.cpu:.2f}" if self.theirs.cpu else "",
            self.bar.words,
            "met" if self.met else "**missed**",
        ]


HEAD = ["work", "remint", "its CPU time", "against", "ratio", "CPU to CPU", "bar", ""]

NOTHING = Cost(0, 0, 0)


def table(lines):
    """A Markdown table."""
    rows = [HEAD, ["---"] * len(HEAD), *(line.cells for line in lines)]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def duration(seconds):
    """Seconds or milliseconds, with three digits at most."""
    return f"{seconds * 1000:.0f} ms" if seconds < 0.995 else f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
