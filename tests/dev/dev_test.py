"""./dev and .ci/run: what they say, when they say it, and how they end."""
import json
import os
import shutil
import subprocess
import sys
import unittest

from script_scene import PATIENCE, Scene


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


class Suites(Scene):
    """A build that meson has configured, as far as its lists go."""

    def setUp(self):
        super().setUp()
        lists = self.top / "build" / "meson-info"
        lists.mkdir(parents=True)
        targets = {"unit-id": "tests/unit-tests", "crash-id": "tests/crash-tests",
                   "program-id": "chatserv", "other-id": "bench/load"}
        (lists / "intro-targets.json").write_text(json.dumps(
            [{"id": name, "filename": [str(self.top.resolve() / "build" / file)]}
             for name, file in targets.items()]), encoding="utf-8")
        tests = {"unit": ["unit-id"], "crash": ["crash-id", "program-id"], "scripts": []}
        (lists / "intro-tests.json").write_text(json.dumps(
            [{"suite": [f"chatserv:{suite}"], "depends": depends}
             for suite, depends in tests.items()]), encoding="utf-8")

    def targets_of(self, *suites):
        status, output, errors = self.run_to_end(
            sys.executable, "-B", ".ci/targets_of_suites.py", "build", *suites)
        self.assertEqual((status, errors), (0, ""))
        return output.split()

    def test_a_suite_needs_only_what_its_tests_run(self):
        self.assertEqual(self.targets_of("unit"), ["tests/unit-tests"])
        self.assertEqual(self.targets_of("crash"), ["chatserv", "tests/crash-tests"])
        self.assertEqual(self.targets_of("scripts"), [])

    def test_without_a_suite_all_tests_get_what_they_need_and_the_benchmark_nothing(self):
        self.assertEqual(self.targets_of(), ["chatserv", "tests/crash-tests", "tests/unit-tests"])

    def test_several_suites_need_all_that_each_of_them_does(self):
        self.assertEqual(self.targets_of("unit", "crash"),
                         ["chatserv", "tests/crash-tests", "tests/unit-tests"])


class Lint(Scene):
    """A repository in which each file is compiled, but those for another system."""

    def setUp(self):
        super().setUp()
        self.stand_in("dpkg-query", 'echo "install ok installed"')
        for tool in ("apt-get", "c++", "meson", "ninja", "pkg-config", "shellcheck"):
            self.stand_in(tool, "exit 0")
        self.stand_in("clang-tidy", 'case $4 in *bad.cpp) echo "found in $4"; exit 1 ;; esac')
        for file in ("master/a.cpp", "master/b.cpp", "master/b.h", "worker/c.cpp", "worker/bad.cpp",
                     "worker/c_openbsd.cpp", "shared/d.h"):
            self.write(file, "")
        self.write("worker/c.cpp", '#include "shared/d.h"\n')
        self.write("build-clang/build.ninja", "")
        self.write("build-clang/compile_commands.json", "".join(
            f'"../{file}"\n' for file in ("master/a.cpp", "master/b.cpp", "worker/c.cpp",
                                         "worker/bad.cpp")))
        self.git("init", "-q", "-b", "main")
        self.commit()

    def write(self, file, text):
        (self.top / file).parent.mkdir(exist_ok=True)
        (self.top / file).write_text(text, encoding="utf-8")

    def git(self, *arguments):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments],
                       cwd=self.top, check=True)

    def commit(self):
        self.git("add", "master", "worker", "shared")
        self.git("commit", "-q", "-m", "a change")

    def lint(self, *arguments):
        status, output, _ = self.run_to_end("./dev", "lint", *arguments)
        return status, sorted(line.split()[1] for line in output.splitlines()
                              if line.startswith("  clang-tidy "))

    def test_the_files_that_differ_from_the_main_branch_are_looked_at(self):
        self.git("checkout", "-q", "-b", "change")
        self.write("master/a.cpp", "// committed\n")
        self.commit()
        self.write("worker/new.cpp", "")
        self.write("worker/c_openbsd.cpp", "// not compiled here\n")
        self.write("build-clang/compile_commands.json", '"../master/a.cpp"\n"../worker/new.cpp"\n')
        self.assertEqual(self.lint(), (0, ["master/a.cpp", "worker/new.cpp"]))

    def test_on_the_main_branch_the_last_commit_is_looked_at(self):
        self.write("master/a.cpp", "// committed\n")
        self.commit()
        self.assertEqual(self.lint(), (0, ["master/a.cpp"]))

    def test_a_header_is_looked_at_with_a_source(self):
        self.assertEqual(self.lint("master/b.h", "shared/d.h"),
                         (0, ["master/b.cpp", "worker/c.cpp"]))

    def test_what_is_found_is_an_error_after_all_files_were_looked_at(self):
        status, looked_at = self.lint("all")
        self.assertNotEqual(status, 0)
        self.assertEqual(looked_at,
                         ["master/a.cpp", "master/b.cpp", "worker/bad.cpp", "worker/c.cpp"])


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
