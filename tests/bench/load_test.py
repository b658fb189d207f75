"""A run of the load: what it counts belongs to the listeners that read, and to the run alone."""
import dataclasses
import pathlib
import sys
import tempfile
import unittest

import sample  # noqa: F401: it finds the bench
from measure import measure
from scenes import flood, paced, stalled, talk
from servers import DEFAULT_NAME, servers

BUILD = pathlib.Path(sys.argv.pop(1))


class Counts(unittest.TestCase):
    def test_each_listener_that_reads_gets_each_line_once(self):
        warm_up, seconds, limit = 0.2, 0.1, 60
        with tempfile.TemporaryDirectory() as folder:
            ours = next(server for server in servers(BUILD, pathlib.Path(folder))
                        if server.name == DEFAULT_NAME)
            ours = dataclasses.replace(ours, warm_up_seconds=warm_up)
            for scene in (stalled(9), flood(9, 61), talk(3, 2), paced(9, 1000)):
                with self.subTest(scene.name):
                    run = measure(BUILD, ours, scene, seconds, limit)
                    self.assertFalse(run.get("error"), run)
                    self.assertGreater(run["lines_sent"], 0)
                    self.assertEqual(run["missing"], 0)
                    readers = scene.listeners - (1 if scene.all_talk else 0)  # not one's own lines
                    self.assertEqual(run["deliveries"], readers * run["lines_sent"])


if __name__ == "__main__":
    unittest.main()
