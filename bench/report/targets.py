"""The targets for chatserv, and whether it met them.

Every target judges the default alone: chatserv as it is started without options. Its rows with a
fixed number of workers are what it is compared with. A default that lost, repeated or reordered a
line meets no target of that load.
"""
import dataclasses
import operator
import statistics

from report.figures import (CONNECTION_MEMORY, CONNECTION_SHARED, CPU, DELIVERIES, IDLE_CPU, P50,
                            P99, loads, short)
from scenes import FLOOD, IDLE, PACED, STALLED, TALK
from servers import DEFAULT_NAME, LINE_FLOOR_NAME, NCAT_NAME

FEW, MANY = 9, 10_000
WITHIN = 1.1
IDLE_CPU_MS_PER_SECOND_MAX = 1  # a thousandth of a core: only heartbeats

_HOLDS = {"≥": operator.ge, "≤": operator.le, ">": operator.gt, "<": operator.lt}


@dataclasses.dataclass
class Target:
    scene: str
    what: str
    required: str
    measured: str = "not measured"
    met: bool | None = None  # None: could not be measured
    rounds: str = ""  # in how many rounds the figures met it, as "2 of 3"

    def of_several(self):
        return self.rounds and not self.rounds.endswith(" of 1")


@dataclasses.dataclass(frozen=True)
class Bound:
    sign: str
    limit: float

    def holds(self, value):
        return _HOLDS[self.sign](value, self.limit)

    def __str__(self):
        return f"{self.sign} {self.limit:.3g}"


def ratio_text(value):
    return f"{value:.3f}" if value < 10 else short(value)


class Judge:
    """Collects the targets of one load."""

    def __init__(self, load):
        self.load, self.ours, self.targets = load, load.ours(), []

    def expect(self, what, bound, values, measured=None, required=None):
        """`values`: one for each round; their median is judged. Empty: not measured."""
        target = Target(self.load.name, what, required or str(bound))
        if self.ours is None and self.load.row(DEFAULT_NAME) is not None:
            target.measured, target.met = "lines were not delivered as they should be", False
        elif values:
            value = statistics.median(values)
            target.measured = measured or ratio_text(value)
            target.met = bound.holds(value)
            target.rounds = f"{sum(map(bound.holds, values))} of {len(values)}"
        self.targets.append(target)

    def against(self, what, figure, row, bound):
        ratios = self.load.ratios(self.ours, figure, row)
        self.expect(what, bound, ratios, self._measured(figure, ratios, row))

    def _measured(self, figure, ratios, row, name=""):
        if not ratios:
            return None
        words = ratio_text(statistics.median(ratios)) + (f" × {name}" if name else "")
        if figure is DELIVERIES and self.ours.load_is_limit() and row.load_is_limit():
            words += "; the load was the limit of both"
        return words

    def against_best(self, what, figure, rows, bound, required=None):
        """Compares with the row to which the default's ratio is worst."""
        by_row = [(ratios, row) for row in rows
                  if (ratios := self.load.ratios(self.ours, figure, row))]
        if not by_row:
            return self.expect(what, bound, [], required=required)
        worst = min if figure.more_is_better else max
        ratios, row = worst(by_row, key=lambda pair: statistics.median(pair[0]))
        return self.expect(what, bound, ratios, required=required,
                           measured=self._measured(figure, ratios, row, row.server))

    def against_variants(self, figure, words):
        """The default has to be about as good as the best fixed number of workers."""
        bound = Bound("≥", 1 / WITHIN) if figure.more_is_better else Bound("≤", WITHIN)
        self.against_best(f"{words}, beside the best number of workers", figure,
                          self.load.variants(), bound)

    def against_peers(self, figure, words, or_level=False):
        sign = (">" if figure.more_is_better else "<") if not or_level else (
            "≥" if figure.more_is_better else "≤")
        self.against_best(words, figure, self.load.peers(), Bound(sign, 1),
                          "no worse than the best peer" if or_level else "ahead of every peer")

    def against_floor(self, figure, words, bound):
        ratios = self.load.ratios(self.ours, figure, self.load.floor())
        measured = None
        if ratios and self.load.kind == TALK:
            by_line = self.load.ratio(self.ours, figure, self.load.row(LINE_FLOOR_NAME))
            if by_line is not None:
                measured = (f"{ratio_text(statistics.median(ratios))}; "
                            f"{ratio_text(by_line)} × the floor with one line per write")
        self.expect(f"{words}, beside the floor", bound, ratios, measured)


def _unpaced(load, judge):
    """What every load without a pace has to meet."""
    judge.against_variants(DELIVERIES, "deliveries/s")
    judge.against_variants(CPU, "CPU per delivery")
    if load.kind != STALLED:  # the bare relay waits for the stalled listener
        bare = load.bare_relay()
        judge.against("deliveries/s, beside the bare relay", DELIVERIES, bare, Bound(">", 1))
        judge.against("CPU per delivery, beside the bare relay", CPU, bare, Bound("<", 1))
    judge.against_peers(DELIVERIES, "deliveries/s")


def _flood(load, smaller):
    judge = Judge(load)
    _unpaced(load, judge)
    if load.scene["listeners"] < MANY:
        judge.against_floor(DELIVERIES, "deliveries/s", Bound("≥", 0.85))
        judge.against_floor(CPU, "CPU per delivery", Bound("≤", 1.3))
    else:
        fewer = f"{smaller.scene['listeners']:,}" if smaller is not None else "fewer"
        judge.against(f"CPU per delivery, beside {fewer} listeners", CPU,
                      smaller.ours() if smaller is not None else None, Bound("≤", 1.2))
    return judge.targets


def _talk(load):
    judge = Judge(load)
    _unpaced(load, judge)
    judge.against_peers(CPU, "CPU per delivery")
    judge.against("CPU per delivery, beside ncat", CPU, load.row(NCAT_NAME), Bound("≤", 0.5))
    judge.against_floor(DELIVERIES, "deliveries/s", Bound("≥", 0.7))
    judge.against_floor(CPU, "CPU per delivery", Bound("≤", 1.5))
    return judge.targets


def _paced(load):
    judge = Judge(load)
    if not load.scene.get("parted"):
        judge.against_variants(P50, "latency, p50")
        judge.against_variants(P99, "latency, p99")
        judge.against_variants(CPU, "CPU per delivery")
    few = load.scene["listeners"] <= FEW
    judge.against("CPU per delivery, beside the bare relay", CPU, load.bare_relay(),
                  Bound("≤", WITHIN) if few else Bound("<", 1))
    judge.against_peers(P50, "latency, p50", or_level=True)
    judge.against_peers(P99, "latency, p99", or_level=True)
    return judge.targets


def _stalled(load):
    judge = Judge(load)
    _unpaced(load, judge)
    return judge.targets


def _idle(load):
    judge, ours = Judge(load), load.ours()
    cpu = ours.values(IDLE_CPU) if ours else []
    judge.expect("CPU time without traffic", Bound("≤", IDLE_CPU_MS_PER_SECOND_MAX), cpu,
                 f"{statistics.median(cpu):.2f} ms per second" if cpu else None,
                 f"≤ {IDLE_CPU_MS_PER_SECOND_MAX} ms per second")
    beyond = [CONNECTION_MEMORY.of(run) - (CONNECTION_SHARED.of(run) or 0)
              for run in (ours.runs if ours else ()) if CONNECTION_MEMORY.of(run) is not None]
    judge.expect("memory beyond the table", Bound("≤", 1024), beyond,
                 f"{statistics.median(beyond):.0f} bytes" if beyond else None,
                 "≤ 1,024 bytes per connection")
    return judge.targets


def targets(document):
    """All targets that the loads of a document can judge."""
    found = []
    all_loads = loads(document)
    floods = {(load.scene["listeners"], load.scene["line"]): load
              for load in all_loads if load.kind == FLOOD}
    for load in all_loads:
        if load.kind == FLOOD:
            found += _flood(load, floods.get((1000, load.scene["line"])))
        elif load.kind in (TALK, PACED, STALLED, IDLE):
            found += {TALK: _talk, PACED: _paced, STALLED: _stalled, IDLE: _idle}[load.kind](load)
    return found
