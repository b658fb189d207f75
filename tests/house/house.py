"""The rules of the house that a program can check. ARCHITECTURE.md ("Rooms") and CONTRIBUTING.md
explain them. Each rule yields one line per offender: the file, what is wrong, the rule."""
import collections
import pathlib
import re

LINES_MAX = 300
PRODUCT = ("master", "worker", "bridge", "shared")
FOLDERS = PRODUCT + ("tests", "bench", "packaging")
SUFFIXES = (".cpp", ".h", ".c", ".py")

# From the bottom to the top: a room may include those below it. Rooms of one floor are siblings and
# do not include each other.
SHARED = [["shared/system"], ["shared/segment"], ["shared/ipc"], ["shared/confinement"]]
WORKER = [["worker/clients"], ["worker/limits", "worker/relay"], ["worker/lifecycle"]]
MASTER = [["master/config"], ["master/start"], ["master/ledger"], ["master/clients"],
          ["master/workers"], ["master/companions"], ["master/metrics", "master/bridge"], ["master/sources"], ["master/keeper"], ["master/upgrade"],
          ["master/reload"], ["master/control"], ["master/commands"]]
BRIDGE = [["bridge/order", "bridge/engine"]]

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
MEMBER = re.compile(r"^(?![\s/#])[^(=;]*?((?:[A-Z]\w*::)+)(?:~?\w+|operator[^(]+)\(")
# One object by nature, left whole in spite of its size: kqueue(2) itself.
DIVIDED = ("Kqueue",)
# Where the version is said, besides in meson.build. A version that is not released has no heading in
# CHANGELOG.md yet, and is said nowhere.
VERSION = re.compile(r"^ *version: *'([^']+)'", re.MULTILINE)
VERSIONS = {"packaging/debian/changelog": re.compile(r"\A\S+ \(([^)]+)\)"),
            "CHANGELOG.md": re.compile(r"^## \[(?!Unreleased\])([^]]+)\]", re.MULTILINE)}
SYSTEM = re.compile(r"_(linux|freebsd|openbsd|macos|ncurses|none)$")


def rooms_below(*floors):
    """Of each room in `floors`, a list of lists: the rooms that it may include."""
    below, so_far = {}, []
    for floor in floors:
        below.update({room: list(so_far) for room in floor})
        so_far += floor
    return below


MAY_INCLUDE = {
    **rooms_below(*SHARED, *WORKER, ["worker"]),
    **rooms_below(*SHARED, *MASTER, ["master"]),
    **rooms_below(*SHARED, *BRIDGE, ["bridge"]),
    # A program of its own, which may know of the master what its books hold.
    "master/metrics/server": sum(SHARED, ["master/ledger", "master/clients"]),
    # The same: where a source is, and the words that it says to the master.
    "master/sources/program": sum(SHARED, ["master/config", "master/sources"]),
    "shared/kqueue": [],  # the others know it as <sys/event.h>
    "shared/precompiled": [],
}


def sources(top):
    return sorted(path for folder in FOLDERS for path in (top / folder).rglob("*")
                  if path.suffix in SUFFIXES)


def includes_run_down(top, path, lines):
    name, room = path.relative_to(top), path.parent.relative_to(top).as_posix()
    if name.parts[0] not in PRODUCT or room.startswith("shared/kqueue/include"):
        return
    if room not in MAY_INCLUDE:
        yield f"{name} is in a room without a place: give {room} one in tests/house/house.py"
        return
    for included in (match[1] for match in map(INCLUDE.match, lines) if match):
        other = pathlib.PurePath(included).parent.as_posix()
        if other not in (".", room, *MAY_INCLUDE[room]):
            yield f"{name} includes {included}: {room} may include {below(room)}"


def below(room):
    return ", ".join(MAY_INCLUDE[room]) or "no other room"


def file_is_short(top, path, lines):
    if len(lines) > LINES_MAX:
        yield f"{path.relative_to(top)} has {len(lines)} lines: a file has at most {LINES_MAX}"


def first_comment_states_the_job(top, path, lines):
    """The comment of a header is also that of the .cpp beside it."""
    if path.suffix == ".cpp" and path.with_suffix(".h").exists():
        return
    first = next((line for line in lines if line.strip() and not line.startswith("#!")), "")
    if not first.startswith('"""' if path.suffix == ".py" else ("//", "/*")):
        yield f"{path.relative_to(top)} begins without a comment: the first one states a file's job"


def class_has_one_file(top, contents):
    """A file for each system counts as one: confinement_linux.cpp, confinement_none.cpp."""
    homes = collections.defaultdict(set)
    for path, lines in contents.items():
        name = path.relative_to(top)
        if path.suffix == ".cpp" and name.parts[0] in PRODUCT:
            home = name.with_name(SYSTEM.sub("", path.stem) + ".cpp").as_posix()
            for match in filter(None, map(MEMBER.match, lines)):
                homes[name.parts[0], match[1].removesuffix("::")].add(home)
    for (_, name), files in sorted(homes.items()):
        if len(files) > 1 and name not in DIVIDED:
            yield f"{name} is implemented in {', '.join(sorted(files))}: a class has one .cpp"


def version_is_one(top):
    """Debian's package would otherwise have another version than the program in it."""
    meson = top / "meson.build"
    if not meson.exists():
        return
    version = found_in(meson, VERSION)
    for name, pattern in VERSIONS.items():
        said = found_in(top / name, pattern)
        if said != version:
            yield f"{name} begins with version {said}, and meson.build has {version}: they are one"


def found_in(path, pattern):
    match = pattern.search(path.read_text(encoding="utf-8"))
    return match and match[1]


def offences(top):
    contents = {path: path.read_text(encoding="utf-8").splitlines() for path in sources(top)}
    for path, lines in contents.items():
        for rule in (includes_run_down, file_is_short, first_comment_states_the_job):
            yield from rule(top, path, lines)
    yield from class_has_one_file(top, contents)
    yield from version_is_one(top)
