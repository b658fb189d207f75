"""Fills the places of a manual's template (packaging/man/): a line `@NAME@` becomes what NAME stands
for."""
import command_help
import header_comment
import mdoc
from reference import reload_sentence, sentence


def fill(template, reference, header, sysconfdir):
    """`header`: the text of <sys/event.h>."""
    places = {
        "OPTIONS": lambda: _options(reference),
        "SETTINGS": lambda: _settings(reference),
        "LISTEN FORMS": lambda: _listen_forms(reference),
        "COMMANDS": lambda: _commands(reference),
        "KQUEUE DIFFERENCES": lambda: header_comment.differences(header),
        "KQUEUE ERRORS": lambda: header_comment.errors(header),
    }
    for name in reference.helps:
        places[f"{name.upper()} DESCRIPTION"] = lambda name=name: _description(reference.helps[name])
        places[f"{name.upper()} OPTIONS"] = lambda name=name: _entries(reference.helps[name].entries)
    lines = []
    for line in template.replace("@SYSCONFDIR@", sysconfdir).splitlines():
        place = line.strip("@") if line.startswith("@") and line.endswith("@") else None
        lines.append(line if place is None else places[place]())
    return "\n".join(lines) + "\n"


def _about(option):
    text = [mdoc.prose(sentence(option["help"]))]
    if option["more"]:
        text.append(mdoc.prose(option["more"]))
    if option["repeats"]:
        text.append(mdoc.prose("May be repeated, and takes several values separated by commas."))
    text += [".Pp", mdoc.prose(f"Allowed: {sentence(option['allowed'])}"),
             mdoc.prose(f"Default: {sentence(option['default'])}"),
             mdoc.prose(reload_sentence(option))]
    return "\n".join(text)


def _options(reference):
    items = [f".It {mdoc.flag(option['name'], option['type'])}\n{_about(option)}"
             for option in reference.options]
    items += [f".It {mdoc.flag(flag['name'], flag['type'], flag['letter'])}\n"
              f"{mdoc.prose(sentence(flag['help'].removesuffix(' (see below)')))}"
              for flag in reference.flags]
    return _list("-tag -width Ds", items)


def _settings(reference):
    return _list("-tag -width Ds",
                 [f".It Ic {option['name']} = Ar {option['type']}\n{_about(option)}"
                  for option in reference.options])


def _listen_forms(reference):
    return _list("-tag -width Ds",
                 [f".It {mdoc.argument(each['form'])}\n{mdoc.prose(sentence(each['meaning']))}"
                  for each in reference.listen_forms])


def _commands(reference):
    items = []
    for command in reference.commands:
        about = reference.helps.get(command["name"])
        if about is None:
            usage = f"chatserv {command['name']} {command['arguments']}".strip()
            items.append(f".It Ic {mdoc.argument(usage)}\n{mdoc.prose(sentence(command['help']))}")
            continue
        usage = "\n".join(f".It Ic {mdoc.argument(line)}" for line in about.usage)
        entries = about.own_entries()
        items.append("\n".join(part for part in (
            usage, _description(about), _entries(entries) if entries else "") if part))
    return _list("-tag -width Ds", items)


def _description(about: command_help.CommandHelp):
    return "\n.Pp\n".join(mdoc.prose(text) for text in about.paragraphs)


def _entries(entries):
    items = []
    for entry in entries:
        name = (mdoc.flag(entry.name, entry.type, entry.letter) if entry.flag
                else f"Ar {entry.name}")
        parts = [f".It {name}", mdoc.prose(sentence_of(entry.before))]
        if entry.words:
            parts.append(_list("-tag -width Ds -compact",
                               [f".It Cm {word}\n{mdoc.prose(sentence(text))}"
                                for word, text in entry.words]))
        if entry.after:
            parts.append(mdoc.prose(entry.after))
        items.append("\n".join(parts))
    return _list("-tag -width Ds", items)


def sentence_of(text):
    return text if text.endswith(":") else sentence(text)


def _list(form, items):
    return "\n".join([f".Bl {form}", *items, ".El"])
