"""Reads what `chatserv help COMMAND` prints: how the command is used, what it does, and its options.
The help of the commands is written by hand, with a few forms that this file knows."""
import dataclasses
import re

ENTRY = re.compile(r"^  (?:-(?P<letter>\w), )?(?P<flag>--)?(?P<name>[A-Za-z-]+)"
                   r"(?: (?P<type>[A-Z|]+))?(?:  +(?P<text>\S.*))?$")
WORD = re.compile(r"^ {18,}  (?P<word>[a-z-]+)  +(?P<text>\S.*)$")
OF_EVERY_COMMAND = ("pid", "control", "help", "version")


@dataclasses.dataclass
class Entry:
    """An option of a command, or its operand, which has no flag."""
    name: str
    flag: bool
    letter: str
    type: str
    before: str  # its text up to the list of words
    words: list  # of (word, what it means)
    after: str


@dataclasses.dataclass
class CommandHelp:
    usage: list       # of lines, without "usage:"
    paragraphs: list  # of texts
    entries: list

    def own_entries(self):
        return [entry for entry in self.entries
                if not (entry.flag and entry.name in OF_EVERY_COMMAND)]


def parse(text):
    lines = text.splitlines()
    usage = []
    while lines and lines[0].strip():
        usage.append(lines.pop(0).removeprefix("usage:").strip())
    paragraphs, entries = [[]], []
    for line in lines:
        entry = ENTRY.match(line)
        if entry:
            entries.append(Entry(entry["name"], bool(entry["flag"]), entry["letter"] or "",
                                 entry["type"] or "", entry["text"] or "", [], ""))
        elif entries and line.strip():
            _continue(entries[-1], line)
        elif line.strip():
            paragraphs[-1].append(line.strip())
        else:
            paragraphs.append([])
    return CommandHelp(usage, [" ".join(each) for each in paragraphs if each], entries)


def _continue(entry, line):
    word = WORD.match(line)
    if word:
        entry.words.append((word["word"], word["text"]))
    elif entry.words:
        entry.after = f"{entry.after} {line.strip()}".strip()
    else:
        entry.before = f"{entry.before} {line.strip()}".strip()
