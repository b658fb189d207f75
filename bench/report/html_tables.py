"""The tables of the report."""
import html
import statistics

from report.figures import AGAINST_FLOOR, RANKED, SHOWN, short
from report.targets import ratio_text
from servers import OURS


def text(words):
    return html.escape(str(words))


def element(name, content, kind=""):
    return f'<{name} class="{kind}">{content}</{name}>' if kind else f"<{name}>{content}</{name}>"


def table(head, rows, wide=False):
    """`head`: cells. `rows`: a class and cells for each row. All cells are HTML. A wide table is
    scrolled sideways on a small screen, and a line above it says so."""
    lines = "\n".join(element("tr", "".join(cells), kind) for kind, cells in rows)
    html_table = (f"<table><thead><tr>{''.join(head)}</tr></thead>\n"
                  f"<tbody>{lines}</tbody></table>")
    if not wide:
        return html_table
    return CUE + element("div", html_table, "wide")


CUE = '<p class="cue soft">More columns: scroll the table sideways →</p>'


def _head(words, unit="", kind=""):
    small = element("small", text(unit)) if unit else ""
    words = element("span", text(words), kind) if kind == "sorted" else text(words)
    return f'<th scope="col" class="{kind}">{words}{small}</th>'


def _name(words):
    return f'<th scope="row">{text(words)}</th>'


def _group(words, columns):
    """A row that names the load of the rows below it."""
    return "group", [f'<th scope="colgroup" colspan="{columns}">{text(words)}</th>']


def of_load(load):
    ranked, about = RANKED[load.kind], RANKED[load.kind][0]
    columns = [*ranked, *SHOWN[load.kind]]
    against = AGAINST_FLOOR.get(load.kind, ()) if load.floor() is not None else ()
    shares = any(row.load_share() for row in load.rows)
    head = [_head("server")]
    for figure in columns:
        head.append(_head(figure.title, figure.unit, "sorted" if figure is about else ""))
        if figure in against:
            head.append(_head("×\u00a0floor"))
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
    return table(head, rows, wide=True)


def _cells(load, row, columns, against, shares):
    cells = [_name(row.server)]
    for figure in columns:
        values, spread = row.values(figure), ""
        if figure in RANKED[load.kind] and len(values) > 1:
            spread = element("small", f"{short(values[0])} – {short(values[-1])}", "spread")
        cells.append(element("td", short(row.median(figure)) + spread))
        if figure in against:
            ratio = load.floor_ratio(row, figure)
            cells.append(element("td", "" if ratio is None else short(ratio)))
    if shares:
        share = row.load_share()
        busy = "*" if row.load_is_limit() else ""
        cells.append(element("td", "" if share is None else f"{100 * share:.0f}{busy}"))
    cells.append(element("td", len(row.runs)))
    return cells


def of_targets(judged):
    verdicts = {True: ("met", "yes"), False: ("not met", "no"), None: ("not measured", "soft")}
    rows, scene = [], None
    for target in judged:
        if target.scene != scene:
            scene = target.scene
            rows.append(_group(scene, 4))
        said, kind = verdicts[target.met]
        rounds = f" <small>{text(target.rounds)} rounds</small>" if target.of_several() else ""
        rows.append(("", [element("td", said, "left " + kind),
                          element("td", text(target.what), "left"),
                          element("td", text(target.required), "left"),
                          element("td", text(target.measured) + rounds, "left")]))
    return table([_head(word, kind="left") for word in ("", "what", "required", "measured")], rows)


def of_not_first(all_loads):
    """Every figure of every load in which chatserv's default is not first."""
    rows, rounds = [], max(load.rounds() for load in all_loads) > 1
    for load in all_loads:
        cells = [("", _behind_cells(figure, behind, rounds)) for figure in RANKED[load.kind]
                 if (behind := load.behind(figure))]
        if load.fault():
            cells.append(("", [f'<td class="failure" colspan="{3 + rounds}">'
                               f"{text(load.fault())}</td>"]))
        if cells:
            rows += [_group(load.name, 3 + rounds), *cells]
    head = [_head("figure", kind="left"), _head("first", kind="left"),
            _head("chatserv", "times the first"),
            *([_head("rounds", "behind it")] if rounds else [])]
    return table(head, rows)


def _behind_cells(figure, behind, with_rounds):
    (first, ratios), *others = behind
    also = "; ".join(f"{ratio_text(statistics.median(ratios))} × {row.server}"
                     for row, ratios in others)
    also = element("small", text(f"also ahead: {also}"), "also") if also else ""
    rounds = sum(ratio < 1 if figure.more_is_better else ratio > 1 for ratio in ratios)
    return [element("td", text(figure.title), "left"),
            element("td", text(first.server) + also, "left"),
            element("td", ratio_text(statistics.median(ratios))),
            *([element("td", f"{rounds} of {len(ratios)}")] if with_rounds else [])]


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


def of_pairs(pairs):
    """A list of names with words about each."""
    items = "".join(f"<li><b>{text(name)}</b>: {text(words)}</li>" for name, words in pairs)
    return element("ul", items, "notes")
