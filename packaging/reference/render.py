#!/usr/bin/env python3
"""Makes one file of the reference. The first two arguments are the programs chatserv-reference and
chatserv; then the kind of the file and what it is made of:

    manual TEMPLATE HEADER SYSCONFDIR    a manual page; HEADER is the Linux layer's <sys/event.h>
    sample                               the sample of the configuration file
    bash | zsh | fish                    completions
    page PAGE                            docs/operating.md, with its tables made anew
"""
import pathlib
import sys

import completions
import manual
import sample
import table
from reference import Reference


def text_of(path):
    return pathlib.Path(path).read_text(encoding="utf-8")


def render(reference, kind, *files):
    if kind == "manual":
        template, header, sysconfdir = files
        return manual.fill(text_of(template), reference, text_of(header), sysconfdir)
    if kind == "page":
        return table.with_tables(text_of(files[0]), reference)
    if kind == "sample":
        return sample.sample(reference)
    return {"bash": completions.bash, "zsh": completions.zsh, "fish": completions.fish}[kind](reference)


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(render(Reference(*sys.argv[1:3]), *sys.argv[3:]))
