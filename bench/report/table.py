"""The results as text: a table for each load, where chatserv is not first, and the targets."""
import statistics

from report.circumstances import absences, warnings
from report.figures import MEMORY, PEAK, RANKED, SILENCE, SHOWN, loads, saturation, short
from report.targets import ratio_text, targets


def _columns(load):
    return [*RANKED[load.kind], *SHOWN[load.kind]]


def _name(figure):
    return figure.title.split(", ")[-1]


def _row(load, row):
    cells = []
    for i, figure in enumerate(_columns(load)):
        values = row.values(figure)
        cells.append(f"{short(row.median(figure)):>12}")
        if i == 0 and load.rounds() > 1:
            cells.append(f"{short(values[0]) + '-' + short(values[-1]) if values else '':>15}")
        ratio = load.floor_ratio(row, figure)
        if figure in RANKED[load.kind]:
            cells.append(f"{'' if ratio is None else 'x' + short(ratio):>10}")
    errors = row.errors()
    return "".join(cells) + (f"  ! {errors[0]}" if errors else "")


def _head(load):
    cells = []
    for i, figure in enumerate(_columns(load)):
        name = {MEMORY: "MiB", PEAK: "peak MiB", SILENCE: "silence"}.get(figure, _name(figure))
        cells.append(f"{name:>12}" + (f"{'spread':>15}" if i == 0 and load.rounds() > 1 else ""))
        if figure in RANKED[load.kind]:
            cells.append(f"{'floor':>10}" if load.floor() is not None else " " * 10)
    return "".join(cells)


def table(document):
    lines = [f"WARNING: {words}" for words in warnings(document)]
    for load in loads(document):
        units = "; ".join(f"{_name(figure)} in {figure.unit}" for figure in RANKED[load.kind])
        lines += ["", f"{load.name}  ({units})", f"  {'':22}{_head(load)}"]
        for row in load.rows:
            if row.has_figures():
                lines.append(f"  {row.server:22}{_row(load, row)}")
            else:
                lines.append(f"  {row.server:22}  ! {row.errors()[0]}")
    for result in document["takeover"].get("results", []):
        if result is document["takeover"]["results"][0]:
            lines += ["", f"takeover  (ms)\n  {'':44}{'median':>9}{'p99':>9}"]
        lines.append(f"  {result['clients']:>6}  {result['what']:36}"
                     f"{short(result['median_ms']):>9}{short(result['p99_ms']):>9}")
    if costs := document["takeover"].get("accepts"):
        lines.append(f"  accept and close: {short(costs['own_us'])} µs of processor time with a "
                     f"descriptor table of its own, {short(costs['shared_us'])} µs with a shared "
                     "one")
    for part in (_absences, _not_first, _targets, _saturation):
        lines += part(document)
    return "\n".join(lines)


def _absences(document):
    """The warnings stand here again: the first lines may have left the screen."""
    lines = [f"  {name}: {words}" for name, words in absences(document)]
    return (["", "not in this report, or failed", *lines] if lines else []) + [
        f"\nWARNING: {words}" for words in warnings(document)]


def _not_first(document):
    """Every figure of every load in which chatserv's default is not first."""
    lines, cells = [], 0
    for load in loads(document):
        for figure in RANKED[load.kind]:
            behind = load.behind(figure)
            cells += behind is not None
            if behind:
                words = "; ".join(f"{ratio_text(statistics.median(ratios))} × {row.server}"
                                  for row, ratios in behind)
                lines.append(f"  {load.name + ', ' + figure.title:50} {words}")
    if not cells:
        return []
    return ["", f"chatserv is first in {cells - len(lines)} of {cells} figures"
                f"{'; it is not in:' if lines else ''}", *lines]


def _targets(document):
    lines = []
    for target in targets(document):
        met = {True: "met", False: "NOT MET", None: "-"}[target.met]
        rounds = f" ({target.rounds} rounds)" if target.of_several() else ""
        lines.append(f"  {met:8} {target.scene}: {target.what} {target.required}:"
                     f" {target.measured}{rounds}")
    return ["", "targets", *lines] if lines else []


def _saturation(document):
    return [f"\nThe load's thread receives at most {rate / 1e6:.1f} million lines of {line} B per"
            " second of its CPU time." for line, rate in sorted(saturation(document).items())]
