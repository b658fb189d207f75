"""The CPU time of programs that are no part of the bench."""
import os
import pathlib
import signal
import subprocess
import time
import unittest

import sample  # noqa: F401: it finds the bench
from others import KERNEL_THREAD, Others, process_ticks

PATIENCE = 60  # seconds; reached only when something is broken


def stat(name="cc1plus", flags=0x00400000, ticks=(1, 20, 300, 4000)):
    """A line as in /proc/PID/stat."""
    return (f"17 ({name}) R 1 17 17 0 -1 {flags} 5 6 7 8 {' '.join(map(str, ticks))} 20 0 1 0 99"
            " 1000 10")


class Ticks(unittest.TestCase):
    def test_those_of_a_process_and_of_its_children_that_have_ended_are_added(self):
        self.assertEqual(process_ticks(stat()), 4321)

    def test_a_name_may_look_like_the_fields_behind_it(self):
        self.assertEqual(process_ticks(stat(name="a) R 1 2 (b")), 4321)

    def test_a_thread_of_the_kernel_has_none(self):
        self.assertEqual(process_ticks(stat(flags=KERNEL_THREAD | 0x40)), 0)


@unittest.skipUnless(pathlib.Path("/proc/self/stat").exists(), "needs Linux's /proc")
class Machine(unittest.TestCase):
    def test_a_busy_program_of_somebody_else_is_noticed(self):
        # The shell ends at once, so its child is no descendant of this process.
        said = subprocess.run(["sh", "-c", "(while :; do :; done) >&2 & echo $!"],
                              stdout=subprocess.PIPE, text=True, check=True)
        stranger = int(said.stdout)
        try:
            others, end = Others(), time.monotonic() + PATIENCE
            while others.cpu_share == 0 and time.monotonic() < end:
                others.end()
            self.assertGreater(others.cpu_share, 0)
        finally:
            os.kill(stranger, signal.SIGKILL)


if __name__ == "__main__":
    unittest.main()
