"""What the runs amount to: medians and spread of each figure, ratios to the floor, ranks.

Everything here and in what is made of it (targets, table, report) works on the document that the
bench writes as JSON, and on nothing else.
"""
import dataclasses
import math
import statistics

from scenes import FLOOD, IDLE, KINDS, PACED, STALLED, STORM, TALK
from servers import BARE_RELAY_NAME, FLOOR_NAME, LINE_FLOOR_NAME, OURS, PEER

DISAGREE = "disagree on the order"  # chatserv-load, of lines that all came


@dataclasses.dataclass(frozen=True)
class Figure:
    key: str  # in a run; a/b: b in a
    title: str
    unit: str
    scale: float = 1  # from the run's unit
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
IDLE_CPU = Figure("cpu_ms_per_second", "CPU", "ms a second")
CONNECTION_MEMORY = Figure("bytes_per_connection", "Memory", "bytes a connection")
CONNECTION_SHARED = Figure("shared_bytes_per_connection", "of it shared", "bytes a connection")
SILENCE = Figure("longest_silence_seconds", "Longest silence", "s")

# By which rows are ranked, and what else is shown.
RANKED = {FLOOD: (DELIVERIES, CPU), TALK: (DELIVERIES, CPU), PACED: (P50, P99, CPU),
          STORM: (CONNECTIONS, CONNECTION_CPU), IDLE: (IDLE_CPU, CONNECTION_MEMORY),
          STALLED: (DELIVERIES, CPU, SILENCE)}
SHOWN = {FLOOD: (MEMORY, PEAK), TALK: (MEMORY, PEAK), PACED: (P999, MEMORY, PEAK),
         STORM: (MEMORY,), IDLE: (CONNECTION_SHARED, MEMORY), STALLED: (MEMORY, PEAK)}
# What is compared with the floor. It knows no pace: of its rows, only the CPU time with paced ones.
AGAINST_FLOOR = {FLOOD: (DELIVERIES, CPU), TALK: (DELIVERIES, CPU), PACED: (CPU,),
                 STALLED: (DELIVERIES, CPU)}
# The floor writes what the listeners of a load are written: large pieces, or single lines.
FLOOR_OF = {FLOOD: FLOOR_NAME, STALLED: FLOOR_NAME, TALK: FLOOR_NAME, PACED: LINE_FLOOR_NAME}


def short(value):
    """A figure for people: three digits, or all of a large number."""
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
        """Whether nothing was lost, repeated or damaged; differing orders are forgiven."""
        return self.has_figures() and all(DISAGREE in error for error in self.errors())

    def is_flawless(self):
        return self.has_figures() and not self.errors()

    def load_share(self):
        """How busy the load's only thread was: at 1 it is what is measured."""
        shares = [run["load_cpu_seconds"] / run["seconds"] for run in self.runs
                  if run.get("load_cpu_seconds") and run.get("seconds")]
        return statistics.median(shares) if shares else None


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

    def row(self, server):
        return next((row for row in self.rows if row.server == server), None)

    def floor(self):
        row = self.row(FLOOR_OF.get(self.kind))
        return row if row is not None and row.is_flawless() else None

    def bare_relay(self):
        return self.row(BARE_RELAY_NAME)

    def ratio(self, row, figure, to):
        """Of the medians of two rows; None where either has none."""
        if row is None or to is None:
            return None
        ours, theirs = row.median(figure), to.median(figure)
        return ours / theirs if ours is not None and theirs else None

    def floor_ratio(self, row, figure):
        if figure not in AGAINST_FLOOR.get(self.kind, ()):
            return None
        return self.ratio(row, figure, self.floor())

    def relays(self):
        """Those that are compared: chatserv and its peers, where they delivered everything."""
        return [row for row in self.rows if row.role in (OURS, PEER) and row.delivers()]

    def peers(self):
        return [row for row in self.relays() if row.role == PEER]

    def sorted_by(self, figure, rows):
        measured = [row for row in rows if row.median(figure) is not None]
        return sorted(measured, key=lambda row: row.median(figure), reverse=figure.more_is_better)

    def ours(self):
        """Of chatserv's rows, by number of workers, the one that is judged: the first in the
        figure that the load is about."""
        about = P99 if self.kind == PACED else RANKED[self.kind][0]
        rows = self.sorted_by(about, [row for row in self.relays()
                                      if row.role == OURS and row.is_flawless()])
        return rows[0] if rows else None

    def rank(self, figure):
        """Of that row among the peers and itself: (place, of how many)."""
        ours = self.ours()
        if ours is None:
            return None
        ranked = self.sorted_by(figure, [*self.peers(), ours])
        if ours not in ranked:
            return None
        value = ours.median(figure)
        ahead = [row for row in ranked if row.median(figure) != value and
                 (row.median(figure) > value) == figure.more_is_better]
        return len(ahead) + 1, len(ranked)


def loads(document):
    """Those of one kind together."""
    scenes = sorted(document["scenes"], key=lambda scene: KINDS.index(scene["kind"]))
    return [load for load in (Load(document, scene) for scene in scenes) if load.rows]


def saturation(document):
    """Lines a second of CPU time that the load's only thread takes in at the most, by bytes of a
    line: what it did for the floors."""
    best = {}
    for load in loads(document):
        row = load.row(FLOOR_NAME)
        for run in row.runs if row else ():
            if run.get("load_cpu_seconds") and not run.get("error"):
                line = load.scene["line"]
                best[line] = max(best.get(line, 0), run["deliveries"] / run["load_cpu_seconds"])
    return best
