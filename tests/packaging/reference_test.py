"""The help, the manuals, the sample of the configuration file and docs/operating.md say the same of
every option."""
import re
import sys
import tempfile
import unittest

from package_scene import BUILD, CHATSERV, TOP, needs, one_line, option_blocks, run, run_anyhow

MAN = BUILD / "packaging/man"
SAMPLE = BUILD / "packaging/config/chatserv.conf.sample"
OF_THE_COMMAND_LINE = ("--config", "--check-config", "--version", "--help")
HELP = run(CHATSERV, "--help")
OPTIONS = option_blocks(HELP)
# Those that a running server takes when it reads its options again are marked in the help.
TAKEN = re.findall(r"^\+ (--[a-z-]+)", HELP, re.MULTILINE)
COMMANDS = re.findall(r"^  chatserv (\w+)", HELP, re.MULTILINE)
# "Maximum number of users (a number from 1 to 100000) [10]"
PARTS = re.compile(r"^(?P<help>.*?) \((?P<allowed>[^()]*(?:\([^()]*\)[^()]*)*)\) "
                   r"\[(?P<default>.*)\]$")


def page(name):
    text = run("mandoc", "-Tascii", "-O", "width=1000", MAN / name)
    text = re.sub(".\b", "", text).replace("`", "'").replace('"', "'")
    return re.sub("[\u2018\u2019]", "'", text)


def as_in_a_page(text):
    return re.sub("[`\"]", "'", text)


class ManualTest(unittest.TestCase):
    def setUp(self):
        self.assertGreater(len(OPTIONS), 20)

    @needs("mandoc")
    def test_has_every_option_as_the_help_has(self):
        for name, mark in (("chatserv.8", "--{}"), ("chatserv.conf.5", "{} =")):
            text = page(name)
            for option, help_text in OPTIONS.items():
                if option in OF_THE_COMMAND_LINE:
                    continue
                begin = text.index("\n     " + mark.format(option[2:]) + " ")
                block = one_line(text[begin:].split("\n\n     --", 1)[0])
                parts = PARTS.match(help_text)
                with self.subTest(page=name, option=option):
                    self.assertIn(as_in_a_page(parts["help"]), block)
                    self.assertIn(f"Default: {as_in_a_page(parts['default'])}.", block)
                    if option not in ("--listen", "--metrics"):
                        self.assertIn(f"Allowed: {as_in_a_page(parts['allowed'])}.", block)

    @needs("mandoc")
    def test_says_of_every_option_whether_a_reload_takes_it(self):
        self.assertIn("--stall-limit", TAKEN)
        self.assertNotIn("--log-size", TAKEN)
        for name, mark in (("chatserv.8", "--{}"), ("chatserv.conf.5", "{} =")):
            text = page(name)
            for option in OPTIONS:
                if option in OF_THE_COMMAND_LINE:
                    continue
                begin = text.index("\n     " + mark.format(option[2:]) + " ")
                said = re.search("A reload takes a new value|A new value needs a restart",
                                 one_line(text[begin:]))[0]
                with self.subTest(page=name, option=option):
                    self.assertEqual(said.startswith("A reload"), option in TAKEN)

    @needs("mandoc")
    def test_has_every_flag_of_the_command_line(self):
        text = page("chatserv.8")
        for flag in OF_THE_COMMAND_LINE:
            self.assertRegex(text, rf"\n     (-\w, )?{flag}\b")

    @needs("mandoc")
    def test_has_every_command_and_its_options(self):
        text = one_line(page("chatserv.8"))
        for command in COMMANDS:
            self.assertIn(f"chatserv {command}", text)
            for option in re.findall(r"^  (--[a-z]+)", run(CHATSERV, "help", command), re.MULTILINE):
                self.assertIn(option, text)

    @needs("mandoc")
    def test_has_every_sentence_of_the_chaos_help(self):
        text = one_line(page("chatserv-chaos.8"))
        described = run(CHATSERV, "help", "chaos").split("\n\n")[1]
        for sentence in re.split(r"(?<=\.) ", one_line(described).strip()):
            self.assertIn(as_in_a_page(sentence), text)

    @needs("mandoc")
    def test_is_clean_for_mandoc(self):
        for manual in sorted(MAN.glob("chatserv*.[358]")):
            found = run_anyhow("mandoc", "-Tlint", "-Wwarning", manual)
            self.assertEqual(found.stdout, "")
            self.assertEqual(found.returncode, 0)

    @needs("mandoc")
    def test_of_the_linux_kqueue_lists_what_the_header_lists(self):
        if not (MAN / "chatserv-kqueue.3").exists():
            self.skipTest("the system has a kqueue of its own")
        text = one_line(page("chatserv-kqueue.3"))
        header = (TOP / "shared/kqueue/include/sys/event.h").read_text(encoding="utf-8")
        comment = header[header.index("What differs from a BSD kernel"):]
        items = re.findall(r"^ \* - (.*)$", comment, re.MULTILINE)
        self.assertGreater(len(items), 20)
        for item in items:
            self.assertIn(as_in_a_page(item.replace("`", "'")).split(".")[0], text)


class SampleTest(unittest.TestCase):
    def setUp(self):
        self.text = SAMPLE.read_text(encoding="utf-8")
        self.lines = re.findall(r"^#([a-z-]+) = (.*)$", self.text, re.MULTILINE)

    def test_has_every_option_once_as_a_comment(self):
        self.assertEqual(["--" + name for name, _ in self.lines],
                         [option for option in OPTIONS if option not in OF_THE_COMMAND_LINE])
        self.assertEqual([line for line in self.text.splitlines()
                          if line and not line.startswith("#")], [])

    def test_is_a_configuration_file(self):
        run(CHATSERV, "--config", SAMPLE, "--check-config")
        with self.file_of(self.lines) as file:
            run(CHATSERV, "--config", file.name, "--check-config")

    def test_has_the_default_values(self):
        """A line shows the default, or the comment above it says what the default is."""
        for name, value in self.lines:
            default = PARTS.match(OPTIONS["--" + name])["default"]
            comment = one_line(self.text.split(f"\n#{name} = ")[0].split("\n\n")[-1]
                               .replace("\n# ", " "))
            if f"Default: {default}." not in comment:
                self.assertEqual(value, default, name)

    def test_changes_nothing_where_it_shows_defaults(self):
        defaults = run(CHATSERV, "--check-config")
        shown = [(name, value) for name, value in self.lines
                 if PARTS.match(OPTIONS["--" + name])["default"] == value]
        self.assertGreater(len(shown), 10)
        with self.file_of(shown) as file:
            self.assertEqual(run(CHATSERV, "--config", file.name, "--check-config"), defaults)

    @staticmethod
    def file_of(lines):
        file = tempfile.NamedTemporaryFile("w", encoding="utf-8")
        file.write("".join(f"{name} = {value}\n" for name, value in lines))
        file.flush()
        return file


class OperatingPageTest(unittest.TestCase):
    def test_has_the_tables_that_the_program_makes(self):
        operating = TOP / "docs/operating.md"
        made = run(sys.executable, "-B", TOP / "packaging/reference/render.py",
                   BUILD / "packaging/reference/chatserv-reference", CHATSERV, "page", operating)
        self.assertEqual(operating.read_text(encoding="utf-8"), made, "run ./dev reference")
        for option in OPTIONS:
            self.assertRegex(made, rf"\n\| (`-\w`, )?`{option}\b")
            if option not in OF_THE_COMMAND_LINE:
                said = re.search(rf"\n\| `{option} [A-Z]+` \|.*?\| (yes|up to|no)", made)[1]
                self.assertEqual(said != "no", option in TAKEN, option)


if __name__ == "__main__":
    unittest.main()
