"""The plots of the report: one figure for all servers, latency percentiles, ratios to the floor,
and the distribution of takeover times.

All plots are as wide as a telephone's screen, so that their text is legible there. On a wide screen
several of them stand side by side.
"""
from report.figures import P50, P99, P999, short
from report.plot import Image, Scale, needs_log
from servers import FLOOR, OURS, VARIANT, YARDSTICK

WIDTH = 360
LABELS = 134  # width of the names at the left
VALUES = 60  # width of the values at the right
ROW = 21
TOP = 20
FOOT = 36


def kind_of(row):
    return {OURS: "ours", VARIANT: "ours faint", YARDSTICK: "yardstick"}.get(row.role, "peer")


def _label(image, row, y):
    image.text(LABELS - 8, y + 4, row.server + ("" if row.is_flawless() else " !"),
               "name " + kind_of(row), "end")


def _without_figures(load):
    return [row for row in load.rows if row.role != FLOOR and not row.has_figures()]


def _failures(image, load, y):
    """A line for each that has nothing to show, from `y` on."""
    for row in _without_figures(load):
        image.text(LABELS - 8, y + 4, row.server, "name " + kind_of(row), "end")
        image.text(LABELS + 4, y + 4, "no figures, see the table", "failure")
        y += ROW


def bars(load, figure):
    """One figure of all servers, the best first, with its spread and the floor's as a line."""
    rows = load.sorted_by(figure, [row for row in load.rows if row.role != FLOOR])
    if not rows:
        return ""
    floor = load.floor() if load.floor_ratio(rows[0], figure) is not None else None
    of_floor = [floor.median(figure)] if floor else []
    values = [value for row in rows for value in row.values(figure)] + of_floor
    log = needs_log(values)
    bottom = TOP + ROW * (len(rows) + len(_without_figures(load)))
    better = "more" if figure.more_is_better else "less"
    title = f"{figure.title}: {load.name}"
    image = Image(WIDTH, bottom + FOOT, title, "; ".join(
        f"{row.server} {short(row.median(figure))}" for row in rows) + f" {figure.unit}")
    scale = Scale(min(filter(None, values), default=1), max(values), LABELS, WIDTH - VALUES, log)
    image.axis(scale, TOP - 4, bottom, f"{figure.unit}, {better} is better"
               + (", logarithmic" if log else ""), WIDTH)
    for i, row in enumerate(rows):
        _bar(image, scale, TOP + ROW * i + ROW / 2, row, figure)
    _failures(image, load, TOP + ROW * len(rows) + ROW / 2)
    if floor:
        x = scale.at(of_floor[0])
        image.line(x, TOP - 4, x, bottom, "floor")
        image.text(x, TOP - 8, "floor", "floor-name", "middle")
    return image.svg()


def _bar(image, scale, y, row, figure):
    value, values = row.median(figure), row.values(figure)
    x, kind = scale.at(value), kind_of(row)
    hint = f"{row.server}: {short(value)} {figure.unit}"
    if len(values) > 1:
        hint += f", median of {len(values)}, {short(values[0])} to {short(values[-1])}"
    _label(image, row, y)
    if scale.log:  # a length means nothing on a logarithmic scale, so draw a mark on a thin line
        image.line(LABELS, y, x, y, "stem " + kind)
    else:
        image.box(LABELS, y - 6, max(x - LABELS, 0.5), 12, "bar " + kind, hint)
    if len(values) > 1:
        low, high = scale.at(values[0]), scale.at(values[-1])
        image.line(low, y, high, y, "whisker")
        for end in (low, high):
            image.line(end, y - 4.5, end, y + 4.5, "whisker")
    if scale.log:
        image.dot(x, y, 5, "mark " + kind, hint)
    image.text(max(x, scale.at(values[-1])) + 9, y + 4, short(value), "value " + kind)


def percentiles(load):
    """The p50, p99 and p99.9 latency of each server, one line per server."""
    rows = load.sorted_by(P99, [row for row in load.rows if row.role != FLOOR])
    if not rows:
        return ""
    values = [row.median(figure) for row in rows for figure in (P50, P99, P999)]
    bottom = TOP + ROW * (len(rows) + len(_without_figures(load)))
    image = Image(WIDTH, bottom + FOOT, f"Latency: {load.name}", "; ".join(
        f"{row.server} p50 {short(row.median(P50))}, p99 {short(row.median(P99))},"
        f" p99.9 {short(row.median(P999))} ms" for row in rows))
    scale = Scale(min(values), max(values), LABELS, WIDTH - 12, log=True)
    image.axis(scale, TOP - 4, bottom, "ms, less is better, logarithmic", WIDTH)
    for i, row in enumerate(rows):
        y, kind = TOP + ROW * i + ROW / 2, kind_of(row)
        p50, p99, p999 = (scale.at(row.median(figure)) for figure in (P50, P99, P999))
        hint = (f"{row.server}: p50 {short(row.median(P50))}, p99 {short(row.median(P99))},"
                f" p99.9 {short(row.median(P999))} ms")
        _label(image, row, y)
        image.line(p50, y, p999, y, "range " + kind)
        image.line(p999, y - 5, p999, y + 5, "range-end " + kind)
        image.dot(p50, y, 4, "mark median " + kind, hint)
        image.dot(p99, y, 5, "mark " + kind, hint)
    _failures(image, load, TOP + ROW * len(rows) + ROW / 2)
    return image.svg()


def ratios(loads, figure):
    """The ratio of every server to the floor: for each load its name, and below it the marks."""
    row_height, side = 38, 22
    found = []
    for load in loads:
        marks = [(row, load.floor_ratio(row, figure)) for row in load.rows if row.role != FLOOR]
        marks = [(row, ratio) for row, ratio in marks if ratio]
        if marks:
            found.append((load, marks))
    if not found:
        return ""
    values = [ratio for _, marks in found for _, ratio in marks] + [1]
    bottom = TOP + row_height * len(found)
    image = Image(WIDTH, bottom + FOOT, f"{figure.title}, as a ratio to the floor", "; ".join(
        f"{load.name}: " + ", ".join(f"{row.server} {ratio:.2f}" for row, ratio in marks)
        for load, marks in found))
    scale = Scale(min(values), max(values), side, WIDTH - side, log=True)
    better = "more" if figure.more_is_better else "less"
    image.axis(scale, TOP - 4, bottom, f"times the floor, {better} is better, logarithmic", WIDTH)
    image.line(scale.at(1), TOP - 4, scale.at(1), bottom, "floor")
    image.text(scale.at(1), TOP - 8, "floor", "floor-name", "middle")
    for i, (load, marks) in enumerate(found):
        y = TOP + row_height * i + 26
        image.text(side, y - 12, load.name, "value")
        image.line(side, y, WIDTH - side, y, "grid")
        for row, ratio in sorted(marks, key=lambda mark: mark[0].role == OURS):
            image.dot(scale.at(ratio), y, 7 if row.role == OURS else 5, "mark " + kind_of(row),
                      f"{row.server}: {short(ratio)} times the floor")
    return image.svg()


def distribution(results):
    """The share of takeovers that took no longer than each time. `results`: from takeover-bench."""
    curves = [result for result in results if result.get("samples_ms") and
              result["what"].startswith("first byte")]
    if not curves:
        return ""
    left, right, height, key_row = 42, WIDTH - 10, 220, 20
    times = [time for curve in curves for time in curve["samples_ms"]]
    image = Image(WIDTH, height + FOOT + key_row * len(curves), "Takeover times", "; ".join(
        f"{curve['clients']} clients, {curve['what']}: median {short(curve['median_ms'])} ms,"
        f" p99 {short(curve['p99_ms'])} ms" for curve in curves))
    scale = Scale(max(min(times), 0.001), max(times), left, right, log=True)
    share = Scale(0, 100 / 1.08, height, TOP)
    image.axis(scale, TOP, height, "ms, logarithmic", WIDTH)
    for percent in (0, 25, 50, 75, 100):
        image.line(left, share.at(percent), right, share.at(percent), "grid")
        image.text(left - 6, share.at(percent) + 4, f"{percent} %", "tick", "end")
    sizes = sorted({curve["clients"] for curve in curves})
    for i, curve in enumerate(curves):
        kind = "ours" if "SIGKILL" in curve["what"] else "peer"
        style = f"curve {kind} size{sizes.index(curve['clients']) % 3}"
        samples = sorted(curve["samples_ms"])
        points = [(scale.at(samples[0]), share.at(0))]
        for n, time in enumerate(samples, 1):
            points += [(scale.at(time), points[-1][1]),
                       (scale.at(time), share.at(100 * n / len(samples)))]
        hint = f"{curve['clients']:,} clients, {curve['what']}"
        image.path(points, style, hint)
        y = height + FOOT + key_row * i
        image.line(left, y, left + 28, y, style)
        image.text(left + 34, y + 4, hint, "tick")
    return image.svg()
