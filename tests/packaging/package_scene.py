"""What the tests of the package share: where the programs are, and tools that may be missing."""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CHATSERV_BUILD", TOP / "build"))
CHATSERV = BUILD / "chatserv"
PATIENCE = 120  # seconds; reached only when something is broken


def run(*command, **how):
    """The output of a command that must succeed."""
    finished = run_anyhow(*command, **how)
    if finished.returncode != 0:
        raise AssertionError(f"{command} ended with {finished.returncode}:\n"
                             f"{finished.stdout}{finished.stderr}")
    return finished.stdout


def run_anyhow(*command, **how):
    return subprocess.run([str(word) for word in command], text=True, encoding="utf-8",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, **{"timeout": PATIENCE, **how})


def heard_through(server):
    """What one client hears when another says hello. `server`: a Popen whose stderr is the log."""
    port = next(int(found[1]) for found in map(
        re.compile(r"listening on 127\.0\.0\.1:(\d+)").search, server.stderr) if found)
    address = ("127.0.0.1", port)
    with socket.create_connection(address, PATIENCE) as first, \
            socket.create_connection(address, PATIENCE) as second:
        joined = (line for line in server.stderr if " joined from " in line)
        next(joined), next(joined)
        first.sendall(b"hello\n")
        return second.recv(100)


def needs(*tools):
    """A test that needs these programs is skipped where one is missing."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return unittest.skipIf(missing, f"there is no {', '.join(missing)}")


def one_line(text):
    """Without the line breaks of a page, so that two pages can be compared."""
    return re.sub(r"\s+", " ", text)


def option_blocks(text):
    """Of the help: (option, its text in one line)."""
    blocks = {}
    for block in re.split(r"\n[ +] (?=-)", "\n" + text.split("\n\n")[2]):
        match = re.match(r"(?:-\w, )?(--[a-z-]+)(?: [A-Z]+)?\s+(.*)", block, re.DOTALL)
        if match:
            blocks[match[1]] = one_line(match[2]).strip()
    return blocks
