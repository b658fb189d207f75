"""targets_of_suites.py BUILD [SUITE...] : prints the targets that ninja has to build in the folder BUILD
for the tests of these suites; without a suite, for all tests. Meson wrote the lists of both when it
configured the build."""
import json
import pathlib
import sys


def targets_of_suites(build, suites):
    def read(name):
        return json.loads((build / "meson-info" / name).read_text(encoding="utf-8"))

    wanted = {f"chatserv:{suite}" for suite in suites}
    needed = {target for test in read("intro-tests.json")
              if not wanted or wanted.intersection(test["suite"])
              for target in test["depends"]}
    return sorted(pathlib.Path(file).relative_to(build).as_posix()
                  for target in read("intro-targets.json") if target["id"] in needed
                  for file in target["filename"])


if __name__ == "__main__":
    print(*targets_of_suites(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]))
