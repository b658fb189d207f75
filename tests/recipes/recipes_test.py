"""docs/recipes.md: each recipe is run as it stands on the page, and what the page says happens."""
import os
import re
import shlex
import signal
import unittest

from document import recipes
from program import wait_until
from scene import RecipeTest, needs
from stand_ins import Receiver, SerialDevice

# Recipes that are run elsewhere: by which test.
ELSEWHERE = {"Chat behind TLS": "tests/integration/tls_test.cpp"}


class SharedConsole(RecipeTest):
    title = "A serial console, shared"

    @needs("socat", "nc")
    def test_it(self):
        device = SerialDevice(self.folder / "ttyUSB0")
        self.stand_ins["/dev/ttyUSB0"] = str(device.path)
        lines, keys = map(self.server, self.block("servers").splitlines())
        keys.wait_for_line(" joined from ")
        lines.wait_for_line("user 0 joined from ")

        device.say("booting\r\nlogin: ")
        first = self.reader("watch", lines)
        first.wait_for("booting\r\nlogin: ")
        typist = self.typist(lines, keys)
        typist.wait_for("booting\r\nlogin: ")
        typist.type("root\r")
        device.hear("root\r")
        device.say("root\r\nPassword: ")
        first.wait_for("root\r\nPassword: ")
        typist.type("secret\r")
        device.hear("secret\r")
        device.say("\r\n# ")
        for person in (first, typist):
            person.wait_for("Password: \r\n# ")
            self.assertEqual(person.output.text, "booting\r\nlogin: root\r\nPassword: \r\n# ")

        self.assertEqual(self.reader("send", keys).wait_for_exit(), 0)
        device.hear("reboot\n")
        for server in (lines, keys):
            server.kill_worker()
        joined = keys.log.count(" joined from ")
        device.unplug()
        lines.wait_for_line("No such file or directory")
        device.plug()
        lines.wait_for_line(" is connected: user ", 2)
        keys.wait_for_line(" joined from ", joined + 1)
        device.say("back again\r\n")
        first.wait_for("back again\r\n")
        typist.type("x")
        device.hear("x")
        typist.type("\x1d")
        self.assertEqual(typist.wait_for_exit(), 0)
        self.assertEqual([lines.stop(), keys.stop()], [0, 0])
        self.expect_whole_page_used()

    def typist(self, lines, keys):
        typed = keys.log.count(" joined from ")
        program = self.reader("type", lines, terminal=True)
        keys.wait_for_line(" joined from ", typed + 1)
        return program


class FannedOutFeed(RecipeTest):
    title = "An NMEA or ADS-B feed, fanned out"

    @needs("nc")
    def test_it(self):
        receiver = Receiver()
        self.addCleanup(receiver.end)
        self.stand_ins.update({"receiver.example:10110": receiver.address,
                               "feed.example": "127.0.0.1"})
        server = self.server(self.block("server").strip())
        receiver.accept()
        server.wait_for_line("user 0 joined from ")
        sentences = [f"$GPGGA,{number},4717.11,N,00833.91,E*47\r\n" for number in range(30)]
        witness = self.reader("read", server)
        receiver.say("".join(sentences) + "$GPG")
        witness.wait_for(sentences[-1])

        newcomer = self.reader("read", server)
        newcomer.wait_for(sentences[-1])
        self.assertEqual(newcomer.output.text, "".join(sentences[-20:]))
        server.kill_worker()
        receiver.say("GA,whole*00\r\n")
        for reader in (witness, newcomer):
            reader.wait_for("$GPGGA,whole*00\r\n")
        # The end of a listener's input does not end it: what it is sent next is refused, and does.
        witness.end()
        receiver.say("$GPGGA,more*00\r\n")
        server.wait_for_line(" left: ")
        receiver.hang_up()
        server.wait_for_line("is not connected: its connection has ended")
        receiver.accept()
        server.wait_for_line(" is connected: user ", 2)
        receiver.say("$GPGGA,again*00\r\n")
        newcomer.wait_for("$GPGGA,again*00\r\n")
        self.assertEqual(newcomer.output.text, "".join(sentences[-20:]) +
                         "$GPGGA,whole*00\r\n$GPGGA,more*00\r\n$GPGGA,again*00\r\n")
        self.assertEqual(server.stop(), 0)
        self.expect_whole_page_used()


class LogTail(RecipeTest):
    title = "A log tail to many"

    @needs("socat", "nc")
    def test_it(self):
        log = self.folder / "syslog"
        log.write_text("from before\n", encoding="utf-8")
        self.stand_ins.update({"/var/log/syslog": str(log),
                               "/run/tail.sock": str(self.folder / "tail.sock"),
                               "staff": str(os.getegid())})
        server = self.server(self.block("server").strip())
        server.wait_for_line("user 0 joined from ")
        self.assertEqual((self.folder / "tail.sock").stat().st_mode & 0o777, 0o660)
        witness = self.reader("follow", server)
        self.append(log, "".join(f"line {number}\n" for number in range(150)))
        witness.wait_for("line 149\n")

        newcomer = self.reader("follow", server)
        newcomer.wait_for("line 149\n")
        self.assertTrue(newcomer.output.text.startswith("line 50\n"), newcomer.output.text)
        chosen = self.reader("filter", server)
        self.append(log, "sshd: a guest\nkernel: nothing\n")
        chosen.wait_for("sshd: a guest\n")
        # logrotate(8): the file is renamed, its writer goes on for a while, and the next one is made.
        log.rename(self.folder / "syslog.1")
        self.append(self.folder / "syslog.1", "the last of the old file\n")
        self.append(log, "the first of the new file\nsshd: another guest\n")
        chosen.wait_for("sshd: another guest\n")
        self.assertEqual(chosen.output.text, "sshd: a guest\nsshd: another guest\n")
        for reader in (witness, newcomer):
            reader.wait_for("sshd: another guest\n")
            self.assertTrue(reader.output.text.endswith(
                "line 149\nsshd: a guest\nkernel: nothing\nthe last of the old file\n"
                "the first of the new file\nsshd: another guest\n"), reader.output.text)
        self.assertNotIn("from before", witness.output.text)
        self.assertEqual(server.stop(), 0)
        self.expect_whole_page_used()

    @staticmethod
    def append(path, text):
        with path.open("a", encoding="utf-8") as file:
            file.write(text)


class CronJob(RecipeTest):
    title = "A receive-only feed through cron"

    @needs("nc", "timeout")
    def test_it(self):
        receiver = Receiver()
        self.addCleanup(receiver.end)
        self.stand_ins.update({"receiver.example:30003": receiver.address,
                               "/usr/local/bin/collect": str(self.script)})
        self.note_jobs()
        server = self.start_server(receiver)

        sample = self.job("sample", server)
        receiver.say("one\n")
        self.wait_for_text(self.folder / "sample", "one\n")
        self.end_job(sample)
        receiver.say("two\n")
        first = self.job("all", server)
        feed = self.folder / "feed"
        wait_until(lambda: feed.is_dir() and list(feed.iterdir()), "a file of the feed")
        [stretch] = feed.iterdir()
        self.assertTrue(stretch.name.endswith(":0"), stretch.name)
        self.wait_for_text(stretch, "one\ntwo\n")
        self.end_job(first)
        receiver.say("three\nfour, cut ")
        second = self.job("all", server)
        self.wait_for_text(stretch, "one\ntwo\nthree\nfour, cut ")
        server.kill_worker()
        receiver.say("here\n")
        self.wait_for_text(stretch, "one\ntwo\nthree\nfour, cut here\n")
        self.end_job(second)
        self.assertEqual((self.folder / "sample").read_text(), "one\n")

        self.assertEqual(server.stop(), 0)
        server = self.start_server(receiver)
        receiver.say("five\n")
        third = self.job("all", server)
        wait_until(lambda: len(list(feed.iterdir())) == 2, "the next file of the feed")
        [other] = set(feed.iterdir()) - {stretch}
        self.wait_for_text(other, "five\n")
        self.end_job(third)
        self.assertEqual(stretch.read_text(), "one\ntwo\nthree\nfour, cut here\n")
        self.assertEqual(server.stop(), 0)
        self.expect_whole_page_used()

    def start_server(self, receiver):
        for port in [port for port in self.stand_ins if port.isdigit()]:
            del self.stand_ins[port]
        server = self.server(self.block("server").strip())
        receiver.accept()
        server.wait_for_line("user 0 joined from ")
        self.script.write_text(self.block("collect"), encoding="utf-8")
        self.script.chmod(0o755)
        return server

    @property
    def script(self):
        return self.folder / "bin/collect"

    def note_jobs(self):
        """timeout(1) notes its pid first, so that it can be told that the time is over."""
        (self.folder / "bin/timeout").write_text(
            f'#!/bin/sh\necho $$ >>"{self.folder}/jobs"\n'
            f'PATH={shlex.quote(os.environ["PATH"])} exec timeout "$@"\n', encoding="utf-8")
        (self.folder / "bin/timeout").chmod(0o755)

    def job(self, name, server):
        """What cron runs by the line of the page: crontab(5)."""
        line = self.block(name)
        self.assertRegex(line, r"^(\S+ ){5}[^%\n]+\n$")
        joined = server.log.count(" joined from ")
        program = self.start(re.sub(r"^(\S+ ){5}", "", line).strip())
        program.end_input()
        server.wait_for_line(" joined from ", joined + 1)
        return program

    def end_job(self, program):
        """As timeout(1) does when the time is over."""
        pids = (self.folder / "jobs").read_text().split()
        os.kill(int(pids[-1]), signal.SIGTERM)
        program.wait_for_exit()

    @staticmethod
    def wait_for_text(path, text):
        wait_until(lambda: path.exists() and path.read_text() == text,
                   lambda: f"{text!r} in {path}, which has {path.exists() and path.read_text()!r}")


class Page(unittest.TestCase):
    def test_each_recipe_is_run(self):
        tested = {test.title for test in RecipeTest.__subclasses__()}
        self.assertLessEqual(tested, set(recipes()))
        self.assertLessEqual(set(recipes()), tested | set(ELSEWHERE))

    def test_each_block_of_a_recipe_that_is_run_here_has_a_name(self):
        for title, recipe in recipes().items():
            if title not in ELSEWHERE:
                self.assertEqual(recipe.fences, 2 * len(recipe.names), title)


if __name__ == "__main__":
    unittest.main()
