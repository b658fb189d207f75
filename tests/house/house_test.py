"""The tree keeps the rules of the house, and each rule notices what breaks it."""
import pathlib
import tempfile
import unittest

import house

TOP = pathlib.Path(__file__).resolve().parents[2]
JOB = "// States a job.\n"


class House(unittest.TestCase):
    def test_the_tree_keeps_the_rules(self):
        self.assertGreater(len(house.sources(TOP)), 100)
        offences = list(house.offences(TOP))
        if offences:
            self.fail("\n" + "\n".join(offences))


class Rules(unittest.TestCase):
    """Each test makes a small tree of its own."""

    def offences(self, tree):
        with tempfile.TemporaryDirectory() as folder:
            top = pathlib.Path(folder)
            for name, text in tree.items():
                path = top / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return list(house.offences(top))

    def assert_refused(self, tree, *parts):
        offences = self.offences(tree)
        self.assertEqual(len(offences), 1, offences)
        for part in parts:
            self.assertIn(part, offences[0])

    def assert_accepted(self, tree):
        self.assertEqual(self.offences(tree), [])

    def test_an_include_of_a_higher_room_is_refused(self):
        for name, included in (
                ("worker/clients/a.h", "worker/limits/b.h"),
                ("worker/limits/a.h", "worker/lifecycle/b.h"),
                ("worker/lifecycle/a.cpp", "worker/relay.h"),
                ("master/config/a.cpp", "master/start/b.h"),
                ("master/start/a.cpp", "master/clients/b.h"),
                ("master/clients/a.h", "master/workers/b.h"),
                ("master/workers/a.h", "master/control/b.h"),
                ("master/control/a.h", "master/commands/b.h"),
                ("master/commands/a.h", "master/master.h"),
                ("shared/system/a.h", "shared/segment/b.h"),
                ("shared/segment/a.h", "shared/ipc/b.h")):
            with self.subTest(name):
                self.assert_refused({name: f'{JOB}#include "{included}"\n'}, name, included)

    def test_an_include_of_a_sibling_is_refused(self):
        for name, included in (
                ("worker/limits/a.h", "worker/relay/b.h"),
                ("worker/relay/a.h", "worker/limits/b.h"),
                ("bridge/order/a.h", "bridge/engine/b.h"),
                ("shared/confinement/a.h", "worker/clients/b.h")):
            with self.subTest(name):
                self.assert_refused({name: f'{JOB}#include "{included}"\n'}, name, included)

    def test_an_include_of_another_program_is_refused(self):
        for name, included in (
                ("master/main.cpp", "worker/worker.h"),
                ("master/main.cpp", "bridge/exchange.h"),
                ("worker/relay/a.h", "bridge/order/b.h"),
                ("bridge/exchange.cpp", "master/ledger/b.h"),
                ("bridge/order/a.h", "worker/relay/b.h"),
                ("worker/main.cpp", "master/master.h"),
                ("shared/ipc/a.h", "master/config/b.h"),
                ("shared/ipc/a.h", "worker/clients/b.h"),
                ("shared/system/a.h", "shared/kqueue/b.h"),
                ("shared/kqueue/a.h", "shared/system/b.h"),
                ("master/metrics/server/a.cpp", "master/workers/b.h"),
                ("master/metrics/a.cpp", "master/metrics/server/b.h"),
                ("master/main.cpp", "master/metrics/server/b.h"),
                ("master/main.cpp", "tests/support/b.h"),
                ("worker/main.cpp", "bench/load/b.h")):
            with self.subTest(name, included=included):
                self.assert_refused({name: f'{JOB}#include "{included}"\n'}, name, included)

    def test_an_include_of_a_lower_room_or_of_ones_own_is_accepted(self):
        self.assert_accepted({
            "worker/limits/a.h": f'{JOB}#include "worker/clients/b.h"\n#include "shared/ipc/c.h"\n',
            "worker/main.cpp": f'{JOB}#include "worker/relay.h"\n#include "worker/limits/a.h"\n'
                               '#include "shared/confinement/b.h"\n',
            "master/main.cpp": f'{JOB}#include "config.h"\n#include "master/commands/a.h"\n',
            "shared/kqueue/a.h": f'{JOB}#include "knote.h"\n#include <sys/event.h>\n'})

    def test_tests_may_include_everything(self):
        self.assert_accepted({"tests/unit/a_test.cpp": f'{JOB}#include "master/master.h"\n'
                                                       '#include "worker/worker.h"\n'})

    def test_a_new_room_needs_a_place(self):
        self.assert_refused({"master/attic/a.h": JOB}, "master/attic", "without a place")

    def test_a_long_file_is_refused(self):
        self.assert_accepted({"shared/ipc/a.h": JOB * 300})
        self.assert_refused({"shared/ipc/a.h": JOB * 301}, "shared/ipc/a.h", "301 lines")

    def test_a_class_in_two_files_is_refused(self):
        for first, second in (
                ("void Pool::start() {", "void Pool::stop() {"),
                ("Pool::Pool(int size) :", "Pool::~Pool() {"),
                ("std::vector<int> Pool::all() const {", "bool Pool::operator==(int) {"),
                ("Pool::Part::Part() {", "void Pool::Part::end() {"),
                ("Pool::Size Pool::size() {", "Pool::Size Pool::capacity() {")):
            with self.subTest(first):
                self.assert_refused({"master/workers/a.cpp": f"{JOB}{first}\n}}\n",
                                    "master/workers/b.cpp": f"{JOB}{second}\n}}\n"},
                                    "master/workers/a.cpp", "master/workers/b.cpp", "Pool")

    def test_a_call_is_no_implementation(self):
        self.assert_accepted({
            "worker/a.cpp": f"{JOB}void Pool::start() {{\n}}\n",
            "worker/b.cpp": f"{JOB}const auto pool = Pool::standard();\n    Pool::start();\n"
                            "// Pool::start() is in another file.\n"})

    def test_a_file_for_each_system_is_accepted(self):
        self.assert_accepted({
            f"shared/confinement/confinement{system}.cpp": f"{JOB}void Confinement::begin() {{\n}}\n"
            for system in ("", "_linux", "_freebsd", "_openbsd", "_none")})

    def test_a_file_without_a_first_comment_is_refused(self):
        for name, text in (("shared/ipc/a.h", "#pragma once\n// Too late.\n"),
                           ("worker/a.cpp", "#include <span>\n"),
                           ("tests/a/a_test.py", "import os\n")):
            with self.subTest(name):
                self.assert_refused({name: text}, name, "without a comment")

    def test_a_header_speaks_for_its_source(self):
        self.assert_accepted({"shared/ipc/a.h": JOB, "shared/ipc/a.cpp": "#include <span>\n",
                              "tests/a/a.py": '#!/usr/bin/env python3\n"""States a job."""\n'})

    def test_another_version_in_a_changelog_is_refused(self):
        tree = {"meson.build": "project('chatserv', 'cpp',\n  version: '1.2.3',\n  license: 'X')\n",
                "packaging/debian/changelog": "chatserv (1.2.3) unstable; urgency=medium\n",
                "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n## [1.2.3]\n\n## [1.2.2]\n"}
        self.assert_accepted(tree)
        for name, text in (("packaging/debian/changelog", "chatserv (1.2.2) unstable\n\n"
                                                          "chatserv (1.2.3) unstable\n"),
                           ("CHANGELOG.md", "## [Unreleased]\n\n## [1.2.2]\n"),
                           ("CHANGELOG.md", "## [Unreleased]\n")):
            with self.subTest(name, text=text):
                self.assert_refused({**tree, name: text}, name, "1.2.3")


if __name__ == "__main__":
    unittest.main()
