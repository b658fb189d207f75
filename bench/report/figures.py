"""Evaluates the runs: medians and spread of each figure, ratios, and which rows are ahead of
chatserv's default.

A ratio of two servers is the median of their ratios in each round. The servers of a round run
within seconds of each other, so what slows the machine down for a minute slows both of them. The
ratio of two medians would compare runs of different rounds.

This module and those that use it (targets, table, report) need only the document that the bench
writes as JSON.
"""
import dataclasses
import math
import statistics

from scenes import FLOOD, IDLE, KINDS, PACED, STALLED, STORM, TALK
from servers import (BARE_RELAY_NAME, DEFAULT_NAME, FLOOR_NAME, LINE_FLOOR_NAME, PEER, VARIANT,
                     YARDSTICK)

LOAD_IS_BUSY = 0.95  # of a core: from here on the load generator is the limit
DISAGREE = "disagree on the order"  # from chatserv-load, when all lines were received


@dataclasses.dataclass(frozen=True)
class Figure:
    key: str  # key in a run; a/b: key b in the value of a
    title: str
    unit: str
    scale: float = 1  # factor from the run's unit
    more_is_better: bool = False

    def of(self, run):
        value = run
        for part in self.key.split("/"):
            value = value.get(part) if isinstance(value, dict) else None
        return None if value is None else value * self.scale


DELIVERIES = Figure("deliveries_per_second", "Deliveries", "million/s", 1e-6, more_is_better=True)
CPU = Figure("cpu_us_per_delivery", "CPU", "s per million deliveries")
MEMORY = Figure("pss_bytes", "Memory (PSS)", "MiB", 2**-20)
PEAK = Figure("peak_rss_bytes", "Peak RSS", "MiB", 2**-20)
P50 = Figure("latency_us/p50", "Latency, p50", "ms", 1e-3)
P99 = Figure("latency_us/p99", "Latency, p99", "ms", 1e-3)
P999 = Figure("latency_us/p99.9", "Latency, p99.9", "ms", 1e-3)
CONNECTIONS = Figure("connections_per_second", "Connections", "thousand/s", 1e-3,
                     more_is_better=True)
CONNECTION_CPU = Figure("cpu_us_per_connection", "CPU", "s per million connections")
IDLE_CPU = Figure("cpu_ms_per_second", "CPU", "ms per second")
CONNECTION_MEMORY = Figure("bytes_per_connection", "Memory", "bytes per connection")
CONNECTION_SHARED = Figure("shared_bytes_per_connection", "of it shared", "bytes per connection")
TORN = Figure("torn_share", "Torn lines", "%", 100)
SILENCE = Figure("longest_silence_seconds", "Longest silence", "s")

# RANKED: the figures that rows are ranked by. SHOWN: the other figures in the tables.
RANKED = {FLOOD: (DELIVERIES, CPU), TALK: (DELIVERIES, CPU), PACED: (P50, P99, CPU),
          STORM: (CONNECTIONS, CONNECTION_CPU), IDLE: (IDLE_CPU, CONNECTION_MEMORY),
          STALLED: (DELIVERIES, CPU, SILENCE)}
SHOWN = {FLOOD: (MEMORY, PEAK), TALK: (TORN, MEMORY, PEAK), PACED: (P999, MEMORY, PEAK),
         STORM: (MEMORY,), IDLE: (CONNECTION_SHARED, MEMORY), STALLED: (MEMORY, PEAK)}
# The figures that are compared with the floor. The floor has no pace, so a paced load is compared
# with it only in CPU time.
AGAINST_FLOOR = {FLOOD: (DELIVERIES, CPU), TALK: (DELIVERIES, CPU), PACED: (CPU,),
                 STALLED: (DELIVERIES, CPU)}
# Each load is compared with the floor that writes as its servers do: large pieces or single lines.
FLOOR_OF = {FLOOD: FLOOR_NAME, STALLED: FLOOR_NAME, TALK: FLOOR_NAME, PACED: LINE_FLOOR_NAME}


def short(value):
    """A figure for people: three digits, or all digits of a large number."""
    if value is None:
        return ""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{value:.{min(digits, 5)}f}"


@dataclasses.dataclass
class Row:
    """One server under one load."""
    server: str
    role: str
    runs: list

    def values(self, figure):
        values = (figure.of(run) for run in self.runs)
        return sorted(value for value in values if value is not None)

    def median(self, figure):
        values = self.values(figure)
        return statistics.median(values) if values else None

    def errors(self):
        return [run["error"] for run in self.runs if run.get("error")]

    def has_figures(self):
        return any("cpu_seconds" in run for run in self.runs)

    def delivers(self):
        """Whether no line was lost, repeated or damaged. Differing orders are allowed."""
        return self.has_figures() and all(DISAGREE in error for error in self.errors())

    def is_flawless(self):
        return self.has_figures() and not self.errors()

    def others_share(self):
        """The share of the processors that other programs used, on average over the runs."""
        shares = [run["others_cpu_share"] for run in self.runs if "others_cpu_share" in run]
        return statistics.mean(shares) if shares else None

    def load_share(self):
        """How busy the load's only thread was. At 1, the load itself was the limit."""
        shares = [run["load_cpu_seconds"] / run["seconds"] for run in self.runs
                  if run.get("load_cpu_seconds") and run.get("seconds")]
        return statistics.median(shares) if shares else None

    def load_is_limit(self):
        share = self.load_share()
        return share is not None and share >= LOAD_IS_BUSY


class Load:
    """All rows under one load."""

    def __init__(self, document, scene):
        self.scene, self.name, self.kind = scene, scene["name"], scene["kind"]
        roles = {server["name"]: server["role"] for server in document["servers"]}
        self.rows = [Row(result["server"], roles[result["server"]], result["runs"])
                     for result in document["results"]
                     if result["scene"] == self.name and result["runs"]]
        order = {name: i for i, name in enumerate(roles)}
        self.rows.sort(key=lambda row: order[row.server])

    def rounds(self):
        return max(len(row.runs) for row in self.rows)

    def row(self, server):
        return next((row for row in self.rows if row.server == server), None)

    def floor(self):
        row = self.row(FLOOR_OF.get(self.kind))
        return row if row is not None and row.is_flawless() else None

    def bare_relay(self):
        return self.row(BARE_RELAY_NAME)

    def ratios(self, row, figure, to):
        """The ratio of two rows in each round in which both have the figure."""
        pairs = ((figure.of(ours), figure.of(theirs))
                 for ours, theirs in zip(row.runs if row else (), to.runs if to else ()))
        return [ours / theirs for ours, theirs in pairs if ours is not None and theirs]

    def ratio(self, row, figure, to):
        """The median of the ratios; None if there are none."""
        ratios = self.ratios(row, figure, to)
        return statistics.median(ratios) if ratios else None

    def floor_ratio(self, row, figure):
        if figure not in AGAINST_FLOOR.get(self.kind, ()):
            return None
        return self.ratio(row, figure, self.floor())

    def _delivering(self, *roles):
        return [row for row in self.rows if row.role in roles and row.delivers()]

    def peers(self):
        return self._delivering(PEER)

    def variants(self):
        return self._delivering(VARIANT)

    def rivals(self):
        """The rows that chatserv's default is compared with, if they delivered everything."""
        return self._delivering(VARIANT, YARDSTICK, PEER)

    def sorted_by(self, figure, rows):
        measured = [row for row in rows if row.median(figure) is not None]
        return sorted(measured, key=lambda row: row.median(figure), reverse=figure.more_is_better)

    def ours(self):
        """The row of chatserv's default, if it is without fault. Only this row is judged."""
        row = self.row(DEFAULT_NAME)
        return row if row is not None and row.is_flawless() else None

    def fault(self):
        """Why chatserv's default is not judged, if it took part; empty: it is judged."""
        row = self.row(DEFAULT_NAME)
        return row.errors()[0] if row is not None and row.errors() else ""

    def behind(self, figure):
        """The rivals that are ahead of chatserv's default, the one furthest ahead first: each with
        the default's ratios to it. None if the default has no such figure or no rival has."""
        ours = self.ours()
        found = [(rival, ratios) for rival in self.rivals()
                 if (ratios := self.ratios(ours, figure, rival))]
        if not found:
            return None

        def loss(pair):  # above 1: how many times worse the default is
            ratio = statistics.median(pair[1])
            if figure.more_is_better:
                return 1 / ratio if ratio else math.inf
            return ratio

        return sorted((pair for pair in found if loss(pair) > 1), key=loss, reverse=True)


def loads(document):
    """All loads that have results, grouped by kind."""
    scenes = sorted(document["scenes"], key=lambda scene: KINDS.index(scene["kind"]))
    return [load for load in (Load(document, scene) for scene in scenes) if load.rows]


def saturation(document):
    """The most lines that the load's only thread receives per second of its CPU time, by length of
    a line. Measured in its runs against the floor."""
    best = {}
    for load in loads(document):
        row = load.row(FLOOR_NAME)
        for run in row.runs if row else ():
            if run.get("load_cpu_seconds") and not run.get("error"):
                line = load.scene["line"]
                best[line] = max(best.get(line, 0), run["deliveries"] / run["load_cpu_seconds"])
    return best
