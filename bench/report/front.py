"""The beginning of the report, which is all that many readers see: warnings, one plain chart, a
verdict in a few words, and what is missing."""
from report.circumstances import absences, warnings
from report.figures import DELIVERIES, RANKED, loads, short
from report.html_tables import of_pairs, text
from scenes import FLOOD, PACED, TALK
from servers import DEFAULT_NAME, FLOOR_NAME, NATS_NAME, NCAT_NAME, REDIS_NAME

# The servers of the chart, with the names that a reader knows.
SHOWN = {DEFAULT_NAME: "chatserv", NCAT_NAME: "ncat --broker", REDIS_NAME: "Redis",
         NATS_NAME: "NATS", FLOOR_NAME: "floor"}
FLOOR_WORDS = ("The <b>floor</b> is no server but a process that only writes the same lines to as "
               "many clients, 64 KiB at a time: what the kernel can send. A server that writes "
               "larger pieces can be faster.")


def warning_box(document):
    found = "".join(f"<p>{text(words)}</p>" for words in warnings(document))
    return f'<div class="warning" role="alert">{found}</div>' if found else ""


def _chart_load(document):
    """The load that tells most: one sender and a hundred listeners, or else what was measured."""
    known = [load for load in loads(document)
             if load.kind in (FLOOD, TALK) and load.row(DEFAULT_NAME) is not None
             and load.row(DEFAULT_NAME).median(DELIVERIES) is not None]
    return next((load for load in known if load.kind == FLOOD and load.scene["listeners"] == 100),
                known[0] if known else None)


def _words_for(scene):
    size = f"lines of {scene['line']:,} bytes"
    if scene["kind"] == FLOOD:
        return f"One client sends {size} as fast as it can, {scene['listeners']:,} clients listen."
    others = scene["listeners"] - scene["senders"]
    listen = f", and {others:,} more listen" if others else ""
    return f"{scene['senders']:,} clients send {size} as fast as they can{listen}."


def chart(document):
    """Million lines delivered per second: bars on a linear scale that begins at zero."""
    load = _chart_load(document)
    if load is None:
        return ""
    shown = [(name, row) for server, name in SHOWN.items()
             if (row := load.row(server)) is not None]
    most = max(row.median(DELIVERIES) or 0 for _, row in shown) or 1
    items = []
    for name, row in shown:
        value = row.median(DELIVERIES)
        kind = {DEFAULT_NAME: "ours", FLOOR_NAME: "floor"}.get(row.server, "peer")
        fault = "" if not row.errors() else f' <em>! {text(row.errors()[0])}</em>'
        width = f"{100 * (value or 0) / most:.1f}%"
        items.append(f'<li class="{kind}"><span class="name">{text(name)}</span>'
                     f'<span class="track"><span class="fill" style="width: {width}"></span></span>'
                     f'<span class="number">{short(value) or "–"}</span>{fault}</li>')
    floor = f"<p class='soft'>{FLOOR_WORDS}</p>" if load.row(FLOOR_NAME) is not None else ""
    return (f'<figure id="chart"><figcaption><b>Million lines delivered per second</b> (more is '
            f'better)<br/>{text(_words_for(load.scene))}</figcaption>'
            f'<ul class="chart">{"".join(items)}</ul>{floor}</figure>')


def places(all_loads):
    """In how many figures chatserv's default is first, and of how many; a fault is never first."""
    cells = [load.behind(figure) if not load.fault() else [load]
             for load in all_loads for figure in RANKED[load.kind]]
    cells = [behind for behind in cells if behind is not None]
    return cells.count([]), len(cells)


def verdict(document, all_loads, judged):
    first, cells = places(all_loads)
    met = sum(target.met is True for target in judged)
    known = sum(target.met is not None for target in judged)
    sentences = []
    if cells:
        paced = any(load.kind == PACED for load in all_loads)
        sentences.append(
            f"chatserv, started without options, is first in {first} of {cells} figures "
            f"(deliveries, {'latency, ' if paced else ''}CPU time and memory under each load), "
            "compared with the peers, a bare relay, and chatserv with its clients spread evenly "
            "over a fixed number of workers.")
    if known:
        sentences.append(f"It meets {met} of {known} targets.")
    if warnings(document) and sentences:
        sentences.append("Read the warning above first.")
    return f'<p class="verdict">{text(" ".join(sentences))}</p>' if sentences else ""


def missing(document):
    pairs = absences(document)
    if not pairs:
        return ""
    return ('<div id="missing"><h2>Not in this report, or failed</h2>' + of_pairs(pairs) + "</div>")
