"""The report: one self-contained HTML page, made from the document of a run."""
import pathlib

from report import charts
from report import html_tables as tables
from report.figures import CPU, DELIVERIES, P50, P99, RANKED, loads, saturation, short
from report.html_tables import element, text
from scenes import FLOOD, IDLE, PACED, STALLED, STORM, TALK
from servers import OURS

STYLE = pathlib.Path(__file__).parent / "page.css"
SECTIONS = (
    (FLOOD, "Flood: one sender, large writes",
     "One client sends lines in writes of 64 KiB, as fast as the server takes them. All others "
     "listen."),
    (TALK, "Everybody talks: one line per write",
     "Every client sends, one line at a time, and receives the lines of all others. Ratios are to "
     "the floor with large writes; another floor writes single lines."),
    (PACED, "Paced: latency",
     "One client sends lines at a steady rate that leaves every server time to spare. The latency "
     "of a line is measured from the time at which it was due, even if it was sent later."),
    (STORM, "A storm of connections",
     "All clients connect at once. A connection counts as served when it has received a line."),
    (IDLE, "Idle connections",
     "No client sends anything. Memory is how much a server's processes have grown since before "
     "the clients connected. The kernel's memory for the sockets is the same for all servers and "
     "is not included."),
    (STALLED, "A reader that stalls",
     "A flood with one additional listener that does not read. The figures are those of the other "
     "listeners: what they receive, and the longest time in which they receive nothing. The stall "
     "limit is one second for servers that have one. Servers that wait for the stalled listener do "
     "not finish in time."),
)


def figure(image, caption):
    if not image:
        return ""
    return f"<figure><figcaption>{caption}</figcaption>\n{image}</figure>"


def plots(load):
    """The plots of one load."""
    images = []
    if load.kind == PACED:
        images.append(figure(charts.percentiles(load), "<b>Latency</b>, ms: p50 (small mark), "
                             "p99 (large mark), p99.9 (end)"))
    for one in RANKED[load.kind]:
        if one not in (P50, P99):
            images.append(figure(charts.bars(load, one),
                                 f"<b>{text(one.title)}</b>, {text(one.unit)}"))
    return element("div", "".join(images), "plots")


def section(kind, title, words, all_loads):
    of_kind = [load for load in all_loads if load.kind == kind]
    if not of_kind:
        return ""
    parts = [f"<h2>{text(title)}</h2><p>{text(words)}</p>", KEY]
    for load in of_kind:
        parts += [f"<h3>{text(load.name)}</h3>", plots(load), tables.of_load(load)]
    return element("section", "\n".join(parts))


KEY = ('<p class="key soft"><span><i class="ours"></i>chatserv</span><span><i></i>peers</span>'
       '<span><i class="yardstick"></i>bare relay: the least that relaying costs</span>'
       '<span><i class="floor"></i>floor: what the kernel can send</span></p>')


def overview(all_loads):
    images = [figure(charts.ratios(all_loads, one),
                     f"<b>{text(one.title)}</b> as a ratio to the floor")
              for one in (DELIVERIES, CPU)]
    if not any(images):
        return ""
    return element("section", "<h2>Beside the floor</h2>" + KEY + "".join(images) +
                   '<p class="soft">The large mark is chatserv without options; the small ones '
                   "have a fixed number of workers.</p>")


def takeover(document):
    found = document.get("takeover", {})
    results = found.get("results", [])
    if not results:
        return element("section", "<h2>Takeover</h2><p>Not measured: "
                       f"{text(found.get('error', 'not selected'))}.</p>")
    words = ("One worker serves all clients. The worker is killed, and one client sends a byte at "
             "the same moment. The time is measured until the successor delivers that byte to the "
             "first of the other clients, and compared with a delivery by a live worker. No peer "
             "survives such a kill.")
    return element("section", f"<h2>Takeover: a worker is killed</h2><p>{words}</p>" +
                   figure(charts.distribution(results), "<b>Share of takeovers</b> that took no "
                          "longer than a time in ms") + tables.of_takeover(results))


def verdict(document, all_loads):
    """One sentence for the targets, and one for each figure with the loads that chatserv leads."""
    judged = tables.judged(document)
    met = sum(target.met is True for target in judged)
    known = sum(target.met is not None for target in judged)
    sentences = [f"{met} of {known} targets met."] if known else []
    for one in (DELIVERIES, CPU):
        behind = [found for load in all_loads if one in RANKED[load.kind]
                  and (found := load.behind(one)) is not None]
        if behind:
            what = "deliveries per second" if one is DELIVERIES else "CPU time per delivery"
            sentences.append(f"First in {what} under {behind.count([])} of {len(behind)} loads.")
    return f'<p class="verdict">{" ".join(sentences)}</p>'


def circumstances(document):
    here = document["machine"]
    versions = ", ".join(f"{server['name']} {server['version']}" for server in document["servers"]
                         if server["version"] and server["role"] != OURS)
    ours = next((server["version"] for server in document["servers"] if server["role"] == OURS), "")
    facts = [
        ("command", f"<code>{text(' '.join(document['command']))}</code>"),
        ("date", text(document["date"].replace("T", " "))),
        ("sources", text(f"chatserv {ours}, {document['commit'] or 'unknown commit'}")),
        ("machine", text(f"{here['cpu']}, {here['cores']} cores, "
                         f"{here['memory_bytes'] / 2**30:.0f} GiB, Linux {here['kernel']}; clients "
                         "and servers share it")),
        ("load average", text(", ".join(f"{load:.2f}" for load in here["load_average"]) +
                              " at the start")),
        ("rounds", text(tables.rounds_of(document))),
        ("time", text(f"{document['seconds']:g} s for most runs; "
                      f"{document['took_seconds']:.0f} s in all")),
        ("peers", text(versions)),
    ]
    facts += [("load generator", text(
        f"its only thread receives at most {short(rate / 1e6)} million lines of {line} B per "
        "second of its CPU time (its best run against the floor)"))
              for line, rate in sorted(saturation(document).items())]
    return element("dl", "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts))


def html_report(document):
    all_loads = loads(document)
    body = "\n".join([
        element("header", "<h1>chatserv beside its peers</h1>" + verdict(document, all_loads) +
                circumstances(document)),
        tables.of_targets(document), tables.of_not_first(all_loads), overview(all_loads),
        *(section(kind, title, words, all_loads) for kind, title, words in SECTIONS),
        takeover(document), tables.of_absentees(document)])
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>chatserv beside its peers, {text(document['date'][:10])}</title>
<style>
{STYLE.read_text(encoding='utf-8')}</style>
</head>
<body>
{body}
</body>
</html>"""
