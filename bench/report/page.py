"""The report: one self-contained HTML page, made from the document of a run.

What most readers want is at the top; everything else is folded, and each fold says in one line what
is in it.
"""
import pathlib

from report import charts
from report import front
from report import html_tables as tables
from report.circumstances import is_busy, notes, others_share
from report.figures import CPU, DELIVERIES, P50, P99, RANKED, loads, saturation, short
from report.html_tables import element, text
from report.targets import targets
from scenes import FLOOD, IDLE, PACED, STALLED, STORM, TALK
from servers import OURS, VARIANT

STYLE = pathlib.Path(__file__).parent / "page.css"
SECTIONS = (
    (FLOOD, "Flood: one sender, large writes",
     "One client sends lines in writes of 64 KiB, as fast as the server takes them. All others "
     "listen."),
    (TALK, "Talk: several send, one line per write",
     "Several clients send, one line at a time, and receive the lines of all others; under some "
     "loads further clients only listen. Ratios are to the floor with large writes; another floor "
     "writes single lines. A line is torn if bytes of other senders arrive in its middle. Relays "
     "of bytes, chatserv among them, tear lines where a read ends, unless the lines fit into their "
     "buffers without a rest, as those of 64 B do. A torn line counts as delivered, because all of "
     "its bytes arrive in their order; brokers deliver messages and tear none."),
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
KEY = ('<p class="key soft"><span><i class="ours"></i>chatserv without options</span>'
       '<span><i class="ours faint"></i>with a fixed number of workers</span>'
       '<span><i></i>peers</span>'
       '<span><i class="yardstick"></i>bare relay: the least that relaying costs</span>'
       '<span><i class="floor"></i>floor: what the kernel can send</span></p>')


def fold(title, result, content):
    """`result`: what is in it, in a few words."""
    return (f'<details><summary><h2>{text(title)}</h2><span class="result">{text(result)}</span>'
            f"</summary>\n{content}\n</details>")


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


def _remarks(load):
    """What the reader of one load's figures has to know."""
    words = [f"Without {name}: {why}." for name, why in load.scene["left_out"].items()]
    shares = [share for row in load.rows if (share := row.others_share()) is not None]
    if shares and is_busy(max(shares)):
        words.append(f"Other programs used up to {100 * max(shares):.0f} % of the processors.")
    return f'<p class="soft">{text(" ".join(words))}</p>' if words else ""


def section(kind, title, words, all_loads):
    of_kind = [load for load in all_loads if load.kind == kind]
    if not of_kind:
        return ""
    spread = ('<p class="soft">A figure is the median of the rounds; below it are the least and '
              "the greatest.</p>") if max(load.rounds() for load in of_kind) > 1 else ""
    parts = [f"<p>{text(words)}</p>", spread, KEY]
    for load in of_kind:
        parts += [f"<h3>{text(load.name)}</h3>", plots(load), tables.of_load(load), _remarks(load)]
    first, cells = front.places(of_kind)
    return fold(title, f"chatserv is first in {first} of {cells} figures" if cells else
                f"{len(of_kind)} loads", "\n".join(parts))


def overview(all_loads):
    images = [figure(charts.ratios(all_loads, one),
                     f"<b>{text(one.title)}</b> as a ratio to the floor")
              for one in (DELIVERIES, CPU)]
    if not any(images):
        return ""
    return fold("All loads at a glance", "ratios to the floor",
                KEY + element("div", "".join(images), "plots") +
                '<p class="soft">The large mark is chatserv without options.</p>')


def takeover(document):
    results = document["takeover"].get("results", [])
    if not results:
        return ""
    words = ("One worker serves all clients. The worker is killed, and one client sends a byte at "
             "the same moment. The time is measured until the successor delivers that byte to the "
             "first of the other clients, and compared with a delivery by a live worker. Then the "
             "master is killed, and somebody connects at the same moment: how long until the next "
             "master answers? Meanwhile the clients are sent one byte after the other, and the "
             "longest wait is that for the slowest of these. No peer survives such a kill.")
    return fold("Takeover: a worker or the master is killed",
                "; ".join(filter(None, (_medians(results, "first byte after SIGKILL"),
                                        _medians(results, "newcomer answered after SIGKILL")))),
                f"<p>{words}</p>" + figure(charts.distribution(results), "<b>Share of takeovers</b>"
                                           " that took no longer than a time in ms") +
                tables.of_takeover(results) + _accepts(document["takeover"].get("accepts")))


def _medians(results, what):
    medians = ", ".join(f"{short(result['median_ms'])} ms with {result['clients']:,} clients"
                        for result in results if result["what"] == what)
    return f"{what}: median {medians}" if medians else ""


def _accepts(costs):
    if not costs:
        return ""
    return (f"<p>Master and keeper share one descriptor table. In a process that shares its table "
            f"with one that sleeps, accept(2) and close(2) together took "
            f"{short(costs['shared_us'])} µs of processor time, and {short(costs['own_us'])} µs in "
            f"a process with a table of its own (medians of {costs['batches']} batches).</p>")


def verdicts(all_loads, judged):
    """The targets, and where chatserv's default is not first."""
    parts = []
    met, known = sum(target.met is True for target in judged), sum(
        target.met is not None for target in judged)
    if judged:
        parts.append(fold("Targets", f"{met} of {known} met", "<p>Every target judges chatserv "
                          "without options. A ratio is the median of the ratios of each round, in "
                          "which the servers run within seconds of each other.</p>" +
                          tables.of_targets(judged)))
    first, cells = front.places(all_loads)
    if cells:
        parts.append(fold("Where chatserv is not first", f"{cells - first} of {cells} figures",
                          "<p>Every figure in which a server is ahead of chatserv without "
                          "options. A server that lost, repeated or damaged a line is not "
                          "compared.</p>" + tables.of_not_first(all_loads)))
    return "\n".join(parts)


def circumstances(document):
    here = document["machine"]
    versions = ", ".join(f"{server['name']} {server['version']}" for server in document["servers"]
                         if server["version"] and server["role"] not in (OURS, VARIANT))
    ours = next((server["version"] for server in document["servers"] if server["role"] == OURS), "")
    share = others_share(document)
    facts = [
        ("command", f"<code>{text(' '.join(document['command']))}</code>"),
        ("date", text(document["date"].replace("T", " "))),
        ("sources", text(f"chatserv {ours}, {document['commit'] or 'unknown commit'}")),
        ("machine", text(f"{here['cpu']}, {here['cores']} cores, "
                         f"{here['memory_bytes'] / 2**30:.0f} GiB, Linux {here['kernel']}; clients "
                         "and servers share it")),
        ("load average", text(", ".join(f"{load:.2f}" for load in here["load_average"]) +
                              " at the start")),
        ("other programs", text("unknown" if share is None else
                                f"{100 * share:.1f} % of the processors during the runs")),
        ("rounds", text(tables.rounds_of(document))),
        ("time", text(f"{document['seconds']:g} s for most runs; "
                      f"{document['took_seconds']:.0f} s in all")),
        ("peers", text(versions)),
    ]
    facts += [("load generator", text(
        f"its only thread receives at most {short(rate / 1e6)} million lines of {line} B per "
        "second of its CPU time (its best run against the floor)"))
              for line, rate in sorted(saturation(document).items())]
    return fold("Machine, versions and notes", f"{here['cores']} cores, {document['date'][:10]}",
                element("dl", "".join(f"<dt>{name}</dt><dd>{value}</dd>"
                                      for name, value in facts)) +
                tables.of_pairs([*notes(document), (
                    "*", "the load generator's only thread was busy all the time; the server may "
                    "be able to deliver more")]))


def html_report(document):
    all_loads, judged = loads(document), targets(document)
    body = "\n".join([
        front.warning_box(document), element("h1", "chatserv beside its peers"),
        front.chart(document), front.verdict(document, all_loads, judged), front.missing(document),
        verdicts(all_loads, judged), overview(all_loads),
        *(section(kind, title, words, all_loads) for kind, title, words in SECTIONS),
        takeover(document), circumstances(document)])
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
