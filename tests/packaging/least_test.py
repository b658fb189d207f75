"""A build without everything that is optional: it is configured, compiled and runs, and says what it
lacks."""
import os
import pathlib
import tempfile
import unittest

from package_scene import TOP, needs, run, run_anyhow

BUILD_PATIENCE = 1200  # seconds, for a compiler on a slow machine
OPTIONS = ("-Dtop=disabled", "-Dmetrics=disabled", "-Dbridge=disabled", "-Dconfinement=disabled",
           "-Dtests=disabled")


@needs("meson", "ninja")
class LeastBuildTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.build = pathlib.Path(folder.name)
        cls.configured = run("meson", "setup", cls.build, TOP, *OPTIONS)
        run("ninja", "-C", cls.build, "chatserv", "chatserv-worker", timeout=BUILD_PATIENCE)

    def chatserv(self, *words, **how):
        return run_anyhow(self.build / "chatserv", *words, **how)

    def test_meson_says_what_is_left_out(self):
        self.assertIn("without ncurses: `chatserv top` is left out", self.configured)
        self.assertIn("without cpp-httplib 0.11: --metrics is left out", self.configured)
        self.assertIn("without libnats: --join is left out", self.configured)

    def test_top_says_that_it_is_left_out(self):
        """No server has to run for that."""
        top = self.chatserv("top", env={**os.environ, "CHATSERV_CONTROL_DIR": str(self.build)})
        self.assertEqual((top.returncode, top.stdout), (os.EX_UNAVAILABLE, ""))
        self.assertRegex(top.stderr, r"\Achatserv: this chatserv was built without ncurses, .*\n\Z")

    def test_metrics_say_that_they_are_left_out(self):
        server = self.chatserv("--metrics", "9998", "--listen", "127.0.0.1:0", "--control", "none")
        self.assertEqual((server.returncode, server.stdout), (os.EX_UNAVAILABLE, ""))
        self.assertRegex(server.stderr, r"\Achatserv: this chatserv was built without --metrics, .*\n\Z")

    def test_joining_a_room_says_that_it_is_left_out(self):
        server = self.chatserv("--join", "nats://127.0.0.1", "--room", "test", "--listen", "127.0.0.1:0",
                               "--control", "none")
        self.assertEqual((server.returncode, server.stdout), (os.EX_UNAVAILABLE, ""))
        self.assertRegex(server.stderr, r"\Achatserv: this chatserv was built without --join, .*\n\Z")

    @needs("ldd")
    def test_the_libraries_are_not_linked(self):
        for program in ("chatserv", "chatserv-worker"):
            self.assertNotRegex(run("ldd", self.build / program), "curses|tinfo|seccomp|httplib|nats")

    def test_the_programs_run(self):
        self.assertEqual(self.chatserv("--check-config").returncode, 0)
        self.assertRegex(run(self.build / "chatserv", "--version"), r"\Achatserv [\d.]+\n\Z")


if __name__ == "__main__":
    unittest.main()
