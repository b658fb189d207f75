"""Where a recipe runs: a folder, ports and programs of the test in the place of those on the page."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from document import recipes
from program import Program, wait_until

BUILD = pathlib.Path(os.environ.get("CHATSERV_BINARY", "build/chatserv")).resolve().parent
# An address of a `listen =` line that has a port: the role, every address, the port.
LISTEN = re.compile(r"(\w+:)?(\*:)?(\d+)")


def needs(*tools):
    """A test that needs these programs is skipped where one is missing."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if not missing and "nc" in tools and not is_openbsd_netcat():
        missing = ["nc of OpenBSD"]
    return unittest.skipIf(missing, f"there is no {', '.join(missing)}")


def is_openbsd_netcat():
    """Other programs of the name lack -N, or use it for something else."""
    finished = subprocess.run(["nc", "-h"], capture_output=True, text=True, check=False)
    return "hutdown the network socket" in finished.stdout + finished.stderr


class Server:
    """`chatserv` by a line of the page. `ports`: those of its configuration file, in order."""

    def __init__(self, program, ports):
        self._program = program
        # The line for 127.0.0.1 comes first for each port, and a UNIX socket has none.
        self.wait_for_line("listening on ", max(len(ports), 1))
        wait_until(lambda: len(self._ports_found()) >= len(ports),
                   lambda: f"{len(ports)} ports in the log:\n{self.log}")
        self.ports = dict(zip(ports, self._ports_found()))

    def _ports_found(self):
        return re.findall(r" listening on 127\.0\.0\.1:(\d+)(?=[,\s])", self.log)

    @property
    def log(self):
        return self._program.errors.text

    def wait_for_line(self, text, times=1):
        wait_until(lambda: self.log.count(text) >= times,
                   lambda: f"{times} times {text!r} in the log:\n{self.log}")

    def kill_worker(self):
        """The process that was worker 1 last."""
        takeovers = self.log.count("worker 1 taken over by pid ")
        pids = re.findall(r"worker 1 (?:started \(pid |taken over by pid )(\d+)", self.log)
        os.kill(int(pids[-1]), signal.SIGKILL)
        self.wait_for_line("worker 1 taken over by pid ", takeovers + 1)

    def stop(self):
        self._program.signal(signal.SIGTERM)
        return self._program.wait_for_exit()


class RecipeTest(unittest.TestCase):
    """A test of the recipe `title`. It must use every block that the recipe has."""
    title = ""

    def setUp(self):
        self.recipe = recipes()[self.title]
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        # What stands on the page, and what stands for it here.
        self.stand_ins = {}
        self.environment = {**os.environ, "PATH": f"{self.folder}/bin:{BUILD}:{os.environ['PATH']}",
                            "HOME": str(self.folder), "CHATSERV_CONTROL": "none"}
        (self.folder / "bin").mkdir()

    def expect_whole_page_used(self):
        self.assertEqual(self.recipe.unused, [], "no test runs these blocks of the page")

    def block(self, name):
        """The block with what stands for its addresses, ports and paths here."""
        places = "|".join(map(re.escape, self.stand_ins)) or "(?!)"
        return re.sub(rf"(?<!\w)({places})\b", lambda found: self.stand_ins[found[1]],
                      self.recipe.block(name))

    def start(self, line, terminal=False):
        program = Program(line, self.folder, self.environment, terminal)
        self.addCleanup(program.end)
        return program

    def command(self, name, terminal=False):
        """Starts the command of the block."""
        return self.start(self.block(name), terminal)

    def server(self, line):
        """Starts a server by its command line, with the configuration file that it names."""
        name = line.split("--config ")[1]
        ports = []

        def free(entry):
            found = LISTEN.fullmatch(entry.strip())
            if not found:
                return entry
            ports.append(found[3])
            return f"{found[1] or ''}{'127.0.0.1:' if found[2] else ''}0"

        lines = self.block(name).splitlines()
        for number, text in enumerate(lines):
            if text.startswith("listen = "):
                entries = text.removeprefix("listen = ").split(",")
                lines[number] = "listen = " + ", ".join(map(free, entries))
        (self.folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        server = Server(self.start("exec " + line), ports)
        self.stand_ins.update(server.ports)
        return server

    def reader(self, name, server, terminal=False):
        """Starts the command of the block; its user has joined the server."""
        joined = server.log.count(" joined from ")
        program = self.command(name, terminal)
        server.wait_for_line(" joined from ", joined + 1)
        return program
