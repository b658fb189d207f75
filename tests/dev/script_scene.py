"""Where the tests of ./dev and .ci/run take place."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds; reached only when something is broken


class Scene(unittest.TestCase):
    """A copy of the scripts, and programs that stand for the system's, first on PATH."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        shutil.copy(TOP / "dev", self.top)
        shutil.copytree(TOP / ".ci", self.top / ".ci")
        (self.top / "bin").mkdir()
        self.environment = {**os.environ, "PATH": f"{self.top / 'bin'}:{os.environ['PATH']}"}

    def stand_in(self, name, script, folder="bin"):
        path = self.top / folder / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def start(self, *command):
        return subprocess.Popen(command, cwd=self.top, env=self.environment, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def run_to_end(self, *command):
        with self.start(*command) as process:
            output, errors = process.communicate(timeout=PATIENCE)
        return process.returncode, output, errors

    def run_with_progress(self, script):
        return self.run_to_end("sh", "-c", f"set -eu; . ./.ci/progress.sh; {script}")
