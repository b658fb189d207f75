"""Makes the completions of bash, zsh and fish."""
import re
import shlex

from reference import words_of


def arguments(reference):
    """For the server (the empty name) and each command: its options as dictionaries."""
    server = [_argument(option["name"], option["type"], option["help"], words_of(option),
                        option["repeats"]) for option in reference.options]
    server += [_argument(flag["name"], flag["type"], flag["help"], letter=flag["letter"])
               for flag in reference.flags]
    found = {"": server}
    for name, about in reference.helps.items():
        found[name] = [_argument(entry.name, entry.type, entry.before,
                                 [word for word, _ in entry.words], letter=entry.letter)
                       for entry in about.entries if entry.flag]
    return found


def _argument(name, kind, help_text, words=(), repeats=False, letter=""):
    about = re.split(r"(?<=[a-z)])\. ", help_text.replace("`", ""))[0].rstrip(".")
    about = re.sub(r" \[.*\]:?$", "", about)  # the default, in the help of a command
    return {"name": name, "type": kind, "about": about, "words": list(words), "repeats": repeats,
            "letter": letter}


def command_names(reference):
    return [command["name"] for command in reference.commands]


def bash(reference):
    lines = ["# Completion of chatserv(8) for bash.", "_chatserv() {",
             "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}",
             "    local command=${COMP_WORDS[1]}",
             "    # bash divides --option=value into three words.",
             '    [ "$word" != = ] || word=',
             '    [ "$before" != = ] || before=${COMP_WORDS[COMP_CWORD - 2]}',
             '    [ "$COMP_CWORD" -gt 1 ] || command=',
             "    case $command in",
             f"    {' | '.join(command_names(reference))}) ;;",
             "    *) command= ;;",
             "    esac",
             "    case $command/$before in"]
    for command, options in arguments(reference).items():
        for option in options:
            if option["type"]:
                lines.append(f"    {command}/--{option['name']}) {_bash_values(option)} ;;")
    names = " ".join(command_names(reference))
    lines += [f'    help/help) COMPREPLY=($(compgen -W "{names}" -- "$word")) ;;',
              "    *)", "        case $command in"]
    for command, options in arguments(reference).items():
        words = " ".join(f"--{option['name']}" for option in options)
        first = f' $([ "$COMP_CWORD" -gt 1 ] || echo {names})' if not command else ""
        lines.append(f'        {command or chr(39) * 2}) COMPREPLY=($(compgen -W "{words}{first}" '
                     '-- "$word")) ;;')
    lines += ["        esac", "        ;;", "    esac", "}",
              "complete -F _chatserv chatserv", ""]
    return "\n".join(lines)


def _bash_values(option):
    if option["words"]:
        return f'COMPREPLY=($(compgen -W "{" ".join(option["words"])}" -- "$word"))'
    action = {"PATH": "-f", "FILE": "-f", "NAME": "-u"}.get(option["type"])
    return f'COMPREPLY=($(compgen {action} -- "$word"))' if action else "COMPREPLY=()"


def zsh(reference):
    lines = ["#compdef chatserv", "# Completion of chatserv(8) for zsh.", "_chatserv() {",
             "    local -a commands", "    commands=("]
    for command in reference.commands:
        about = re.sub(r" \(.*\)$", "", command["help"])
        lines.append(f"        {shlex.quote(command['name'] + ':' + about)}")
    lines += ["    )", "    if ((CURRENT > 2)); then", "        case $words[2] in"]
    every = arguments(reference)
    for command, options in every.items():
        if command:
            lines += [f"        {command})", "            shift words", "            ((CURRENT--))",
                      *_zsh_arguments(options, 12), "            return", "            ;;"]
    lines += ["        help)", "            _describe command commands", "            return",
              "            ;;", "        esac", "    else", "        _describe command commands",
              "    fi", *_zsh_arguments(every[""], 4), "}", '_chatserv "$@"', ""]
    return "\n".join(lines)


def _zsh_arguments(options, indent):
    space = " " * indent
    lines = [f"{space}_arguments \\"]
    for option in options:
        about = re.sub(r"([]:[])", r"\\\1", option["about"])
        for form in ([f"-{option['letter']}"] if option["letter"] else []) + [f"--{option['name']}"]:
            spec = f"{'*' if option['repeats'] else ''}{form}{'=' if option['type'] else ''}[{about}]"
            if option["type"]:
                spec += f":{option['type']}:{_zsh_values(option)}"
            lines.append(f"{space}    {shlex.quote(spec)} \\")
    lines[-1] = lines[-1].removesuffix(" \\")
    return lines


def _zsh_values(option):
    if option["words"]:
        return f"({' '.join(option['words'])})"
    return {"PATH": "_files", "FILE": "_files", "NAME": "_users"}.get(option["type"], " ")


def fish(reference):
    names = " ".join(command_names(reference))
    lines = ["# Completion of chatserv(8) for fish.", "complete -c chatserv -f"]
    for command in reference.commands:
        about = re.sub(r" \(.*\)$", "", command["help"])
        lines.append("complete -c chatserv -n __fish_is_first_arg "
                     f"-a {command['name']} -d {_fish_quoted(about)}")
    lines.append(f"complete -c chatserv -n '__fish_seen_subcommand_from help' -a '{names}'")
    for command, options in arguments(reference).items():
        place = (f"__fish_seen_subcommand_from {command}" if command
                 else f"not __fish_seen_subcommand_from {names}")
        for option in options:
            line = f"complete -c chatserv -n '{place}' -l {option['name']}"
            if option["letter"]:
                line += f" -s {option['letter']}"
            line += f" -d {_fish_quoted(option['about'])}"
            if option["type"]:
                line += " -x" if option["type"] not in ("PATH", "FILE") else " -r -F"
            if option["words"]:
                line += f" -a '{' '.join(option['words'])}'"
            elif option["type"] == "NAME":
                line += " -a '(__fish_complete_users)'"
            lines.append(line)
    return "\n".join(lines) + "\n"


def _fish_quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
