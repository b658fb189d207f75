"""docs/recipes.md as the tests read it: its recipes, and the blocks of each by their names."""
import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]
PAGE = TOP / "docs/recipes.md"

# ```LANGUAGE NAME. A reader of the page does not see the name.
BLOCK = re.compile(r"^```(\w+) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Recipe:
    def __init__(self, title, text):
        self.title = title
        self._blocks = {name: body for _, name, body in BLOCK.findall(text)}
        self._unused = set(self._blocks)
        self.fences = len(re.findall(r"^```", text, re.MULTILINE))

    def block(self, name):
        self._unused.discard(name)
        return self._blocks[name]

    @property
    def names(self):
        return list(self._blocks)

    @property
    def unused(self):
        """The blocks that nobody has asked for."""
        return sorted(self._unused)


def recipes():
    """Of each title, its recipe."""
    _, *sections = re.split(r"^## (.*)\n", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {title: Recipe(title, text) for title, text in zip(sections[::2], sections[1::2])}
