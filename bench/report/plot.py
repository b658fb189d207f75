"""The parts of a plot as SVG: scales with ticks, and an image that draws in the page's colours.

Classes in page.css set the colours and fonts, so that a plot follows the light or dark scheme.
"""
import html
import math


class Scale:
    """Maps a value to a position between `start` and `end`."""

    def __init__(self, low, high, start, end, log=False):
        if log:
            low, high = 10 ** math.floor(math.log10(low)), high * 1.15
        else:
            low, high = 0, (high or 1) * 1.08
        self.low, self.high, self._start, self._end, self.log = low, high, start, end, log

    def at(self, value):
        if self.log:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self._start + share * (self._end - self._start)

    def ticks(self):
        if not self.log:
            return _round_steps(self.high)
        decades = range(round(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
        steps = (1, 2, 5) if len(decades) <= 2 else (1, 3) if len(decades) <= 3 else (1,)
        ticks = (step * 10 ** decade for decade in decades for step in steps)
        return [tick for tick in ticks if tick <= self.high]


def _round_steps(high):
    """About five ticks, at steps of 1, 2 or 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(high / 5))
    step = next(step * power for step in (1, 2, 5, 10) if high / (step * power) <= 6)
    return [i * step for i in range(math.floor(high / step) + 1)]


def needs_log(values, spread=25):
    """Whether a linear scale would make the small values invisible."""
    values = [value for value in values if value and value > 0]
    return bool(values) and max(values) / min(values) > spread


def tick_text(value):
    if value == 0 or 0.0001 <= abs(value) < 1000:
        return f"{value:g}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0e}".replace("e-0", "e-")


class Image:
    """An SVG image with a title and a description for screen readers."""

    count = 0

    def __init__(self, width, height, title, description):
        Image.count += 1
        name = f"plot{Image.count}"
        self._parts = [
            f'<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}t {name}d">',
            f'<title id="{name}t">{html.escape(title)}</title>',
            f'<desc id="{name}d">{html.escape(description)}</desc>']

    def line(self, x1, y1, x2, y2, kind):
        self._parts.append(
            f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')

    def box(self, x, y, width, height, kind, hint=""):
        self._shape(f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}"'
                    f' height="{height:.1f}" rx="1.5"', "rect", hint)

    def dot(self, x, y, radius, kind, hint=""):
        self._shape(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"', "circle",
                    hint)

    def path(self, points, kind, hint=""):
        there = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._shape(f'<polyline class="{kind}" points="{there}"', "polyline", hint)

    def text(self, x, y, text, kind="", anchor="start"):
        self._parts.append(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
                           f'{html.escape(text)}</text>')

    def axis(self, scale, top, bottom, label, right):
        """A horizontal axis, with grid lines through the plot and a label that ends at `right`."""
        for tick in scale.ticks():
            x = scale.at(tick)
            self.line(x, top, x, bottom, "grid")
            self.text(x, bottom + 14, tick_text(tick), "tick", "middle")
        self.text(right, bottom + 28, label, "tick", "end")

    def _shape(self, start, name, hint):
        self._parts.append(f"{start}><title>{html.escape(hint)}</title></{name}>" if hint
                           else f"{start}/>")

    def svg(self):
        return "\n".join([*self._parts, "</svg>"])
