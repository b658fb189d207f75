"""The targets for chatserv, and whether it met them.

Each load judges one row of chatserv: the one with the best number of workers (figures.Load.ours).
All figures of a load are those of that row. A row in which a line was lost, repeated or out of
order meets no target.
"""
import dataclasses

from report.figures import (CONNECTION_MEMORY, CONNECTION_SHARED, CPU, DELIVERIES, IDLE_CPU, P50,
                            P99, loads, short)
from scenes import FLOOD, IDLE, PACED, TALK
from servers import LINE_FLOOR_NAME, NCAT_NAME, OURS

MANY = 10_000
IDLE_CPU_MS_PER_SECOND_MAX = 1  # a thousandth of a core: only heartbeats


@dataclasses.dataclass
class Target:
    scene: str
    what: str
    required: str
    measured: str = "not measured"
    met: bool | None = None  # None: could not be measured
    by: str = ""  # the row that was judged


def ratio_text(value):
    return f"{value:.3f}" if value < 10 else short(value)


class Judge:
    def __init__(self, load):
        self.load, self.ours, self.targets = load, load.ours(), []

    def expect(self, what, required, *, at_least=None, at_most=None, value=None, measured=None):
        target = Target(self.load.name, what, required)
        if self.ours is None and any(row.role == OURS for row in self.load.rows):
            target.measured, target.met = "no row without errors", False
        elif value is not None:
            target.by = self.ours.server
            target.measured = measured or ratio_text(value)
            target.met = value >= at_least if at_least is not None else value <= at_most
        self.targets.append(target)

    def against_floor(self, figure, what, **bound):
        (word, limit), = bound.items()
        value = self.load.floor_ratio(self.ours, figure)
        measured = None
        if value is not None and self.load.kind == TALK:
            by_line = self.load.ratio(self.ours, figure, self.load.row(LINE_FLOOR_NAME))
            if by_line is not None:
                measured = (f"{ratio_text(value)}; "
                            f"{ratio_text(by_line)} of the floor with one line per write")
        self.expect(what, f"{'≥' if word == 'at_least' else '≤'} {limit}", value=value,
                    measured=measured, **bound)

    def against_row(self, figure, what, row, at_most):
        self.expect(what, f"≤ {at_most}", at_most=at_most,
                    value=self.load.ratio(self.ours, figure, row))

    def ahead_of_peers(self, figure, what, *, or_level=False):
        """Compares with all peers that delivered everything. `or_level`: a tie meets the target."""
        best = self.load.sorted_by(figure, self.load.peers())
        required = "no worse than the best peer" if or_level else "ahead of every peer"
        if not best or self.ours is None:
            return self.expect(what, required)
        ours, theirs = self.ours.median(figure), best[0].median(figure)
        if ours is None:
            return self.expect(what, required)
        ahead = ours > theirs if figure.more_is_better else ours < theirs
        met = ahead or (or_level and ours == theirs)
        return self.expect(what, required, at_least=1, value=int(met),
                           measured=f"{short(ours)}; {best[0].server} {short(theirs)}"
                                    f" {figure.unit}")


def _flood(load):
    judge = Judge(load)
    judge.against_floor(DELIVERIES, "deliveries/s, relative to the floor", at_least=0.85)
    judge.against_floor(CPU, "CPU per delivery, relative to the floor", at_most=1.3)
    return judge.targets


def _flood_of_many(load, smaller):
    judge = Judge(load)
    before = smaller.row(judge.ours.server) if smaller is not None and judge.ours else None
    fewer = f"{smaller.scene['listeners']:,}" if smaller is not None else "fewer"
    judge.against_row(CPU, f"CPU per delivery, relative to {fewer} listeners", before, 1.2)
    return judge.targets


def _talk(load):
    judge = Judge(load)
    judge.against_floor(DELIVERIES, "deliveries/s, relative to the floor", at_least=0.7)
    judge.against_floor(CPU, "CPU per delivery, relative to the floor", at_most=1.5)
    judge.against_row(CPU, "CPU per delivery, relative to ncat", load.row(NCAT_NAME), 0.5)
    judge.ahead_of_peers(DELIVERIES, "deliveries/s")
    judge.ahead_of_peers(CPU, "CPU per delivery")
    return judge.targets


def _paced(load):
    judge = Judge(load)
    judge.ahead_of_peers(P50, "latency, p50", or_level=True)
    judge.ahead_of_peers(P99, "latency, p99", or_level=True)
    judge.against_row(CPU, "CPU per delivery, relative to the bare relay", load.bare_relay(), 1.1)
    return judge.targets


def _idle(load):
    judge = Judge(load)
    ours = judge.ours
    cpu = ours.median(IDLE_CPU) if ours else None
    judge.expect("CPU time without traffic", f"≤ {IDLE_CPU_MS_PER_SECOND_MAX} ms per second",
                 at_most=IDLE_CPU_MS_PER_SECOND_MAX, value=cpu,
                 measured=None if cpu is None else f"{cpu:.2f} ms per second")
    beyond = None
    if ours and ours.median(CONNECTION_MEMORY) is not None:
        beyond = ours.median(CONNECTION_MEMORY) - (ours.median(CONNECTION_SHARED) or 0)
    judge.expect("memory beyond the table", "≤ 1,024 bytes per connection", at_most=1024,
                 value=beyond, measured=None if beyond is None else f"{beyond:.0f} bytes")
    return judge.targets


def targets(document):
    """All targets that the loads of a document can judge."""
    found = []
    by_name = {(load.kind, load.scene["listeners"], load.scene["line"]): load
               for load in loads(document)}
    for load in by_name.values():
        if load.kind == FLOOD and load.scene["listeners"] >= MANY:
            found += _flood_of_many(load, by_name.get((FLOOD, 1000, load.scene["line"])))
        elif load.kind == FLOOD:
            found += _flood(load)
        elif load.kind == TALK:
            found += _talk(load)
        elif load.kind == PACED and load.scene["listeners"] < MANY:
            found += _paced(load)
        elif load.kind == IDLE:
            found += _idle(load)
    return found
