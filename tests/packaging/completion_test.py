"""The completions, in the shells themselves."""
import re
import unittest

from package_scene import BUILD, CHATSERV, needs, run

FOLDER = BUILD / "packaging/completions"
OPTIONS = re.findall(r"(--[a-z-]+)(?: [A-Z]+)?(?:  |\n)", run(CHATSERV, "--help"))
# What is typed, what is offered among other things, and what is not.
CASES = [
    (["chatserv", "--slow"], ["--slow-policy"], ["--users"]),
    (["chatserv", "--placement", ""], ["load", "even"], ["--users"]),
    (["chatserv", "dr"], ["drain"], ["stats"]),
    (["chatserv", "chaos", "--target", "k"], ["keeper"], ["worker"]),
    (["chatserv", "chaos", "--"], ["--rate", "--mode", "--pid"], ["--users"]),
    (["chatserv", "stats", "--"], ["--control"], ["--rate", "--users"]),
    (["chatserv", "users", "--"], ["--json", "--interval", "--pid"], ["--rate", "--users"]),
    (["chatserv", "help", ""], ["chaos", "stats"], ["--users"]),
]


class CompletionTest(unittest.TestCase):
    def check(self, offered):
        """`offered`: the words that a shell offers after these words."""
        for words, expected, unexpected in CASES:
            with self.subTest(words=words):
                found = offered(words)
                self.assertLessEqual(set(expected), set(found))
                self.assertFalse(set(unexpected) & set(found), found)
        self.assertGreater(len(OPTIONS), 20)
        self.assertLessEqual(set(OPTIONS), set(offered(["chatserv", "--"])))

    @needs("bash")
    def test_bash(self):
        def offered(words):
            return run("bash", "--norc", "-c", 'source "$0"; COMP_WORDS=("$@"); '
                       'COMP_CWORD=$(($# - 1)); _chatserv; printf "%s\\n" "${COMPREPLY[@]}"',
                       FOLDER / "chatserv", *words).split()

        self.check(offered)
        self.assertEqual(offered(["chatserv", "--placement", "=", "l"]), ["load"])
        self.assertEqual(offered(["chatserv", "--placement", "="]), ["load", "even"])

    @needs("fish")
    def test_fish(self):
        def offered(words):
            lines = run("fish", "--no-config", "-c", 'source $argv[1]; complete -C "$argv[2..]"',
                        FOLDER / "chatserv.fish", *words).splitlines()
            return [line.split("\t")[0] for line in lines]

        self.check(offered)

    @needs("zsh")
    def test_zsh(self):
        """zsh completes on a terminal only; _arguments and _describe are asked what they got."""
        script = """
            _arguments() { print -rl -- "$@"; }
            _describe() { print -rl -- $commands; }
            words=("${@[2,-1]}"); CURRENT=$#words
            source "$1"
        """

        def offered(words):
            specifications = run("zsh", "-fc", script, "zsh", FOLDER / "_chatserv", *words)
            if len(words) > 2 and words[-2].startswith("--"):
                values = re.search(rf"^\*?{words[-2]}=.*\((.*)\)$", specifications, re.MULTILINE)
                return [word for word in values[1].split() if word.startswith(words[-1])]
            names = re.findall(r"^\*?(--?[a-z-]+|\w+)[=\[:]", specifications, re.MULTILINE)
            return [name for name in names if name.startswith(words[-1])]

        self.check(offered)


if __name__ == "__main__":
    unittest.main()
