"""./dev and .ci/run: what they say, when they say it, and how they end."""
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


class Commands(Scene):
    def test_without_a_command_they_are_listed(self):
        status, output, errors = self.run_to_end("./dev")
        self.assertEqual((status, errors), (0, ""))
        self.assertIn("./dev run", output)

    def test_an_unknown_command_is_an_error_that_names_it(self):
        status, output, errors = self.run_to_end("./dev", "tets")
        self.assertEqual((status, output), (64, ""))
        self.assertIn('"tets"', errors)
        self.assertIn("./dev test", errors)


class Packages(Scene):
    """None is installed; the user is not root."""

    def setUp(self):
        super().setUp()
        self.stand_in("dpkg-query", "exit 1")
        self.stand_in("id", "echo 1000")
        self.stand_in("sudo", "exit 1")
        self.stand_in("apt-get", 'echo "apt-get must not be called"; exit 1')

    def test_without_root_it_says_what_root_has_to_do(self):
        status, _, errors = self.run_to_end("./dev", "run")
        self.assertEqual(status, 69)
        self.assertRegex(errors, "these packages are missing.* meson ")
        self.assertRegex(errors, "run this as root.* apt-get install .* meson ")
        self.assertNotIn("must not be called", errors)
        self.assertNotIn("not found", errors)

    def test_what_apt_get_says_is_shown_when_it_fails(self):
        self.stand_in("id", "echo 0")
        self.stand_in("apt-get", 'echo "E: no network here"; exit 100')
        status, _, errors = self.run_to_end("./dev", "run")
        self.assertEqual(status, 69)
        self.assertIn("installing g++ meson ", errors)
        self.assertIn("E: no network here", errors)
        self.assertIn("apt-get could not install these packages", errors)

    def test_where_all_are_there_nothing_is_installed(self):
        self.stand_in("dpkg-query", 'echo "install ok installed"')
        self.stand_in("apt-get", f'echo called >>"{self.top}/called"; exit 1')
        self.stand_in("meson", "echo meson has failed; exit 1")
        self.stand_in("c++", "exit 1")
        status, _, errors = self.run_to_end("./dev", "run")
        self.assertEqual(status, 69)
        self.assertIn("meson has failed", errors)
        self.assertRegex(errors, "the compiler does not find these headers:.* spdlog/spdlog.h")
        self.assertFalse((self.top / "called").exists())

    def test_a_missing_program_is_named_where_there_are_no_packages(self):
        tools = "sh cat sed grep awk dirname env printf uname date sleep mktemp rm tail head wc"
        for tool in tools.split():
            (self.top / "bin" / tool).symlink_to(shutil.which(tool))
        for tool in ("dpkg-query", "apt-get"):
            (self.top / "bin" / tool).unlink()
        self.environment["PATH"] = str(self.top / "bin")
        status, _, errors = self.run_to_end("./dev", "run")
        self.assertEqual(status, 69)
        self.assertRegex(errors, "these programs are missing:.* meson ninja ")


class Progress(Scene):
    def test_a_log_has_a_line_for_each_tenth(self):
        # The work goes on when the line that tells of it has been seen.
        script = ('tenths() { cat "$1"; };'
                  'work() { for i in 1 2 3; do printf "%s of 30" "$((i * 10))" >"$progress/log";'
                  ' read -r seen <fifo; done; };'
                  'show_progress working tenths work')
        os.mkfifo(self.top / "fifo")
        with self.start("sh", "-c", f"set -eu; . ./.ci/progress.sh; {script}") as process:
            for done in (10, 20, 30):
                self.assertIn(f"  working: {done} of 30, ", process.stderr.readline())
                (self.top / "fifo").write_text("seen\n", encoding="utf-8")
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_a_log_has_a_line_where_nothing_is_known(self):
        # A clock by which each second takes five.
        ticks = self.top / "ticks"
        self.stand_in("date", f'echo >>"{ticks}"; echo $(($(wc -l <"{ticks}") * 5))')
        os.mkfifo(self.top / "fifo")
        with self.start("sh", "-c", "set -eu; . ./.ci/progress.sh; work() { read -r seen <fifo; };"
                        "show_progress waiting no_position work") as process:
            self.assertIn("  waiting: 10 s", process.stderr.readline())
            self.assertIn("  waiting: 20 s", process.stderr.readline())
            (self.top / "fifo").write_text("seen\n", encoding="utf-8")
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_all_that_a_failing_command_says_is_shown(self):
        status, output, errors = self.run_with_progress(
            "show_progress_only working no_position sh -c 'echo one; echo two >&2; exit 3'")
        self.assertEqual((status, output, errors), (3, "", "one\ntwo\n"))

    def test_what_a_command_says_that_does_not_fail_is_not(self):
        self.assertEqual(
            self.run_with_progress("show_progress_only working no_position echo one"), (0, "", ""))


class Run(Scene):
    def test_a_step_is_heard_while_it_goes_on(self):
        # Each goes on when its first line has been seen.
        os.mkfifo(self.top / "fifo")
        self.stand_in("dev", "echo before; read -r seen <fifo; echo after", folder=".")
        heard = []
        with self.start(".ci/run") as process:
            for line in process.stdout:
                heard.append(line)
                if line == "before\n":
                    (self.top / "fifo").write_text("seen\n", encoding="utf-8")
            self.assertEqual(process.wait(PATIENCE), 0)
        self.assertEqual(heard[:3], ["== ./dev format check\n", "before\n", "after\n"])
        self.assertEqual(heard[-1], "0 passed, 0 failed, 0 skipped\n")

    def test_the_last_line_counts_and_a_failing_step_ends_it(self):
        self.stand_in("dev", 'case $1 in test) echo "10 passed, 0 failed, 2 skipped" ;; '
                             'sanitize) echo "5 passed, 1 failed, 0 skipped"; exit 7 ;; esac',
                      folder=".")
        status, output, _ = self.run_to_end(".ci/run")
        self.assertEqual(status, 7)
        self.assertEqual(output.splitlines()[-2:],
                         ["== failed: ./dev sanitize", "15 passed, 1 failed, 2 skipped"])
        self.assertNotIn("fuzz", output)


if __name__ == "__main__":
    unittest.main()
