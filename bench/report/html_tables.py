"""The tables of the report."""
import html
import statistics

from report.figures import AGAINST_FLOOR, RANKED, SHOWN, short
from report.targets import ratio_text, targets
from servers import OURS

LOAD_IS_BUSY = 0.95  # of a core: from here on the load generator is the limit


def text(words):
    return html.escape(str(words))


def element(name, content, kind=""):
    return f'<{name} class="{kind}">{content}</{name}>' if kind else f"<{name}>{content}</{name}>"


def table(head, rows):
    """`head`: cells. `rows`: a class and cells for each row. All cells are HTML."""
    lines = "\n".join(element("tr", "".join(cells), kind) for kind, cells in rows)
    return element("div", f"<table><thead><tr>{''.join(head)}</tr></thead>\n"
                   f"<tbody>{lines}</tbody></table>", "wide")


def _head(words, unit="", kind=""):
    small = element("small", text(unit)) if unit else ""
    words = element("span", text(words), kind) if kind == "sorted" else text(words)
    return f'<th scope="col" class="{kind}">{words}{small}</th>'


def _name(words):
    return f'<th scope="row">{text(words)}</th>'


def of_load(load):
    ranked, about = RANKED[load.kind], RANKED[load.kind][0]
    columns = [*ranked, *SHOWN[load.kind]]
    against = AGAINST_FLOOR.get(load.kind, ()) if load.floor() is not None else ()
    shares = any(row.load_share() for row in load.rows)
    head = [_head("server")]
    for figure in columns:
        head.append(_head(figure.title, figure.unit, "sorted" if figure is about else ""))
        if figure in ranked:
            head.append(_head("spread"))
        if figure in against:
            head.append(_head("× floor"))
    head += [_head("load busy", "% of a core")] if shares else []
    head.append(_head("runs"))
    first = load.sorted_by(about, load.rows)
    rows = []
    for row in [*first, *(row for row in load.rows if row not in first)]:
        kind = row.role
        if not row.has_figures():
            rows.append((kind, [_name(row.server),
                                f'<td class="failure" colspan="{len(head) - 1}">'
                                f"! {text(row.errors()[0])}</td>"]))
            continue
        rows.append((kind, _cells(load, row, columns, against, shares)))
        if row.errors():
            rows.append((kind, ["<th></th>", f'<td class="failure" colspan="{len(head) - 1}">'
                                f"! {text(row.errors()[0])}</td>"]))
    return table(head, rows)


def _cells(load, row, columns, against, shares):
    cells = [_name(row.server)]
    for figure in columns:
        cells.append(element("td", short(row.median(figure))))
        if figure in RANKED[load.kind]:
            values = row.values(figure)
            spread = f"{short(values[0])} – {short(values[-1])}" if len(values) > 1 else ""
            cells.append(element("td", spread, "spread"))
        if figure in against:
            ratio = load.floor_ratio(row, figure)
            cells.append(element("td", "" if ratio is None else short(ratio)))
    if shares:
        share = row.load_share()
        busy = share is not None and share >= LOAD_IS_BUSY
        cells.append(element("td", "" if share is None else f"{100 * share:.0f}{'*' * busy}"))
    cells.append(element("td", len(row.runs)))
    return cells


def judged(document):
    return targets(document)


def of_targets(document):
    found = judged(document)
    if not found:
        return ""
    verdicts = {True: ("met", "yes"), False: ("not met", "no"), None: ("not measured", "soft")}
    rows = []
    for before, target in zip([None, *found], found):
        said, kind = verdicts[target.met]
        same = before is not None and before.scene == target.scene
        rows.append(("", [_name("" if same else target.scene),
                          *(element("td", text(words), "left") for words in
                            (target.what, target.required, target.measured, target.rounds)),
                          element("td", said, kind)]))
    head = [_head("load"), *(_head(word, kind="left") for word in
                             ("what", "required", "measured", "rounds that meet it")), _head("")]
    return element("section", "<h2>Targets</h2><p>Only chatserv's default is judged: the server "
                   "without options.</p>" + table(head, rows))


def of_not_first(all_loads):
    """Every figure of every load in which chatserv's default is not first."""
    rows = []
    for load in all_loads:
        for figure in RANKED[load.kind]:
            for row, ratios in load.behind(figure) or ():
                rows.append(("", [_name(load.name), element("td", text(figure.title), "left"),
                                  element("td", ratio_text(statistics.median(ratios))),
                                  element("td", text(row.server), "left")]))
    if not rows:
        return ""
    head = [_head("load"), _head("figure", kind="left"), _head("chatserv, times the other"),
            _head("which is ahead", kind="left")]
    return element("section", "<h2>Where chatserv is not first</h2>" + table(head, rows))


def of_takeover(results):
    rows = [(OURS if "SIGKILL" in result["what"] else "",
             [_name(f"{result['clients']:,} clients"), element("td", text(result["what"]), "left"),
              element("td", short(result["median_ms"])), element("td", short(result["p99_ms"])),
              element("td", len(result.get("samples_ms", [])) or "")]) for result in results]
    return table([_head("clients"), _head("until", kind="left"), _head("median", "ms"),
                  _head("p99", "ms"), _head("times")], rows)


def rounds_of(document):
    """The number of rounds, which depends on the time."""
    counts = {}
    for result in document["results"]:
        counts[result["scene"]] = max(counts.get(result["scene"], 0), len(result["runs"]))
    if not counts:
        return "none"
    least, most = min(counts.values()), max(counts.values())
    return f"{most}" if least == most else f"{least} to {most}, as the time permitted"


def of_absentees(document):
    """The servers and loads that were left out, and why."""
    lines = [f"<li><b>{text(server['name'])}</b>: not installed or not built</li>"
             for server in document["servers"] if server["missing"]]
    lines += [f"<li><b>{text(server['name'])}</b>: not selected</li>"
              for server in document["servers"]
              if not server["missing"] and not server["takes_part"]]
    lines += [f"<li><b>{text(server['name'])}</b>: it is slow, so loads without a pace are limited "
              f"to {server['deliveries_max']:,} deliveries per run</li>"
              for server in document["servers"] if server.get("deliveries_max")]
    ran, left_out = {result["scene"] for result in document["results"]}, {}
    for scene in document["scenes"]:
        if scene["name"] not in ran:
            lines.append(f"<li><b>{text(scene['name'])}</b>: not run for lack of time</li>")
        for name, why in scene["left_out"].items():
            left_out.setdefault((name, why), []).append(scene["name"])
    lines += [f"<li>without <b>{text(name)}</b>, because {text(why)}: "
              f"{text('; '.join(names))}</li>"
              for (name, why), names in left_out.items()]
    lines.append("<li>*: the load generator's only thread was busy all the time; the server may be "
                 "able to deliver more.</li>")
    return element("section", f"<h2>Notes</h2><ul>{''.join(lines)}</ul>")
