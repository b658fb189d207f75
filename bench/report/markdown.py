"""The figures as docs/benchmarks.md and README.md have them, in Markdown."""
import re
import statistics

from report.circumstances import warnings
from report.figures import CPU, DELIVERIES, P50, P99, RANKED, loads, short
from report.html_tables import rounds_of
from report.targets import ratio_text, targets
from scenes import FLOOD, PACED, TALK
from servers import (BARE_RELAY_NAME, DEFAULT_NAME, FLOOR_NAME, NATS_NAME, NCAT_NAME, REDIS_NAME,
                     WORKERS, variant_name)

NAMES = {DEFAULT_NAME: "chatserv", **{variant_name(n): f"{n} worker{'s' * (n > 1)}"
                                      for n in WORKERS},
         BARE_RELAY_NAME: "bare relay", FLOOR_NAME: "floor", NCAT_NAME: "ncat", REDIS_NAME: "Redis",
         NATS_NAME: "NATS", "boost asio": "Asio"}
README_NAMES = (DEFAULT_NAME, NCAT_NAME, REDIS_NAME, NATS_NAME)


def _table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head),
            *("| " + " | ".join(row) + " |" for row in rows)]


def _cell(row, *figures):
    """The figures of a server, with the CPU time in brackets; `!` if lines were not delivered as
    they should be."""
    if row is None or not row.has_figures():
        return ""
    values = ", ".join(short(row.median(figure)) for figure in figures)
    return f"{values} ({short(row.median(CPU))}){'' if row.is_flawless() else ' !'}"


def _of_loads(all_loads, *figures):
    names = [name for name in NAMES if any(load.row(name) for load in all_loads)]
    return _table(["load", *(NAMES[name] for name in names)],
                  [[load.name, *(_cell(load.row(name), *figures) for name in names)]
                   for load in all_loads])


def _for_readme(all_loads):
    load = next((load for load in all_loads
                 if load.kind == FLOOD and load.scene["listeners"] == 100), None)
    if load is None:
        return []
    return ["", f"For README.md, {load.name}:", ""] + _table(
        ["", *(NAMES[name] for name in README_NAMES)],
        [[figure.title, *(short(row.median(figure)) if (row := load.row(name)) else ""
                          for name in README_NAMES)] for figure in (DELIVERIES, CPU)])


def _not_first(all_loads):
    rows = [[load.name, re.sub("^Latency, ", "", figure.title),
             "; ".join(f"{ratio_text(statistics.median(ratios))} × "
                       f"{NAMES.get(row.server, row.server)}" for row, ratios in behind)]
            for load in all_loads for figure in RANKED[load.kind]
            if (behind := load.behind(figure))]
    if not rows:
        return []
    head = ["load", "figure", "chatserv's figure, as times that of"]
    return ["", "chatserv is not first in:", "", *_table(head, rows)]


def markdown(document):
    here, all_loads, judged = document["machine"], loads(document), targets(document)
    met = sum(target.met is True for target in judged)
    known = sum(target.met is not None for target in judged)
    return "\n".join([
        *(f"**{words}**" for words in warnings(document)),
        f"`{' '.join(document['command'])}` on {document['date'][:10]}: medians of "
        f"{rounds_of(document)} round(s), on {here['cores']} cores of {here['cpu']} with Linux "
        f"{here['kernel']}, the load on the same cores. {met} of {known} targets met.",
        "", "Million deliveries per second and, in brackets, microseconds of CPU time for each:",
        "",
        *_of_loads([load for load in all_loads if load.kind in (FLOOD, TALK)], DELIVERIES),
        "", "Median and 99th percentile of the latency in milliseconds, and CPU time as above:", "",
        *_of_loads([load for load in all_loads if load.kind == PACED], P50, P99),
        *_not_first(all_loads), *_for_readme(all_loads)])
