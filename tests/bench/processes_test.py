"""Nothing that the bench started outlives it."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"

INTERRUPTED = """
import sys, time
sys.path.insert(0, sys.argv[1])
from processes import Interrupted, Program, end_by_signal, interrupt_on_signals
interrupt_on_signals()
try:
    with Program(["sh", "-c", "trap '' TERM; sleep 1000 & echo $$ $!; wait"]) as program:
        Program.patience = 0.1
        print(program.line(time.monotonic() + 60), flush=True)
        time.sleep(1000)
except Interrupted as interrupted:
    end_by_signal(interrupted.number)
"""


def is_alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    return re.search(r"\) (\w)", state).group(1) != "Z"


@unittest.skipUnless(pathlib.Path("/proc/self/stat").exists(), "needs Linux's /proc")
class Interruption(unittest.TestCase):
    def test_nothing_outlives_the_bench(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with subprocess.Popen([sys.executable, "-B", "-c", INTERRUPTED, str(BENCH)],
                                  stdout=subprocess.PIPE, text=True) as bench:
                pids = [int(pid) for pid in bench.stdout.readline().split()]
                self.assertEqual(len(pids), 2)
                os.kill(bench.pid, number)
                self.assertEqual(bench.wait(60), -number)
            end = time.monotonic() + 60
            while any(map(is_alive, pids)) and time.monotonic() < end:
                time.sleep(0.01)
            self.assertEqual([pid for pid in pids if is_alive(pid)], [])


if __name__ == "__main__":
    unittest.main()
