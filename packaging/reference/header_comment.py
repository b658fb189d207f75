"""Reads the comments of the Linux layer's <sys/event.h> that the manual repeats: what differs from a
BSD kernel, and the errors of kevent()."""
import re

import mdoc

ERROR = re.compile(r"^  ([A-Z]+(?:, [A-Z]+)*)  +(\S.*)$")


def differences(header):
    """A paragraph for each filter, with a list."""
    blocks = "\n".join(_comment(header, "What differs from a BSD kernel")).split("\n\n")
    return "\n".join(_block(*block.split("\n- ")) for block in blocks[1:])


def _block(heading, *texts):
    items = [f".It\n{mdoc.prose(_one_line(text))}" for text in texts]
    return "\n".join([".Pp", mdoc.prose(_one_line(heading)), ".Bl -bullet", *items, ".El"])


def _one_line(text):
    return " ".join(text.split())


def errors(header):
    found = filter(None, map(ERROR.match, _comment(header, "Applies `nchanges` changes")))
    items = [f".It Bq {' , '.join(f'Er {name}' for name in error[1].split(', '))}\n"
             f"{mdoc.prose(error[2])}" for error in found]
    return "\n".join([".Bl -tag -width Er", *items, ".El"])


def _comment(header, begin):
    start = header.index(" * " + begin)
    end = header.index(" */", start)
    return [line.removeprefix(" *").removeprefix(" ") for line in header[start:end].splitlines()]
