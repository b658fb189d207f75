"""Writes plain text as mdoc(7): each sentence on a line of its own, `code` and --options with their
macros."""
import re

CODE = re.compile(r"(?P<before>[(\[]?)(?:`(?P<code>[^`]+)`|(?P<flag>--[a-z][a-z-]*[a-z])"
                  r"(?: (?P<type>[A-Z]{2,}))?|(?P<page>[a-z_]+)\((?P<section>[1-8][a-z]*)\))"
                  r"(?P<after>[])]?[.,;:]?)(?=\s|$)")
SENTENCE = re.compile(r"(?<=[a-z0-9)`'\]][.:]) (?=[A-Z`-])")


def escaped(text):
    """Text that no macro is made of."""
    text = text.replace("\\", "\\e")
    return "\\&" + text if text[:1] in (".", "'") else text


def argument(text):
    """One argument of a macro."""
    text = text.replace("\\", "\\e").replace('"', "\\(dq")
    return f'"{text}"' if " " in text else text


def flag(name, kind="", letter=""):
    """`Fl` for each form of an option, to stand behind It."""
    forms = [f"Fl {letter}"] if letter else []
    forms.append(f"Fl -{name}" + (f" Ar {kind}" if kind else ""))
    return " , ".join(forms)


def prose(text):
    lines = []
    for each in SENTENCE.split(text):
        lines += _sentence(each.strip())
    return "\n".join(lines)


def _sentence(text):
    lines, end = [], 0
    for match in CODE.finditer(text):
        if text[end:match.start()].strip():
            lines.append(escaped(text[end:match.start()].strip()))
        lines.append("." + _macro(match))
        end = match.end()
    if text[end:].strip():
        lines.append(escaped(text[end:].strip()))
    return lines


def _macro(match):
    before = [match["before"]] if match["before"] else []
    if match["code"]:
        macro = ["Ql", *before, argument(match["code"])]
    elif match["flag"]:
        macro = ["Fl", *before, match["flag"][1:]] + (["Ar", match["type"]] if match["type"] else [])
    else:
        macro = ["Xr", *before, match["page"], match["section"]]
    return " ".join(macro + list(match["after"]))
