"""Makes the sample of the configuration file: every option, commented, with its default."""
import textwrap

from reference import reload_sentence, sentence

HEAD = """\
# The configuration of chatserv(8). chatserv.conf(5) describes the format.
#
# Every option is below. Where a line does not show the default, the comment above it names the
# default, and the line shows what a value looks like. The environment and the command line override
# this file. To check it: chatserv --config FILE --check-config
# To put it in force in a running server: chatserv reload
"""


def sample(reference):
    return HEAD + "".join(map(_option, reference.options))


def _option(option):
    text = sentence(option["help"])
    if option["more"]:
        text += " " + option["more"]
    text += f" Allowed: {sentence(option['allowed'])}"
    if not option["sample_is_default"]:
        text += f" Default: {sentence(option['default'])}"
    text += " " + reload_sentence(option)
    comment = textwrap.wrap(text, 98, break_long_words=False, break_on_hyphens=False)
    return "\n" + "".join(f"# {line}\n" for line in comment) + (
        f"#{option['name']} = {option['sample']}\n")
