"""The metrics and the status page, against those that read them: promtool, Grafana's dashboard, the page
in docs/, and a real browser."""
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import unittest
import urllib.request

from browser import Browser, browser_path
from package_scene import BUILD, CHATSERV, PATIENCE, TOP, needs, run_anyhow

DASHBOARD = TOP / "packaging/grafana/chatserv.json"
PAGE = TOP / "docs/metrics.md"
# A source with characters that a label has to escape; there is no such file.
ODD_PATH = 'file:/nowhere/a"b\\c'
SIZES = ((1400, 900), (400, 800))
FONT_PIXELS_MIN = 12
CONTRAST_MIN = 4.5  # WCAG 2.1, 1.4.3


class Server:
    """A running server with a user that sends, and one that listens."""

    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory()
        self.log = pathlib.Path(self.folder.name) / "log"
        self.process = subprocess.Popen(
            [CHATSERV, "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--workers", "2",
             "--control", f"{self.folder.name}/control", "--log-file", self.log, *options],
            stdin=subprocess.DEVNULL)

    def __enter__(self):
        self.url = self.wait_for(r"metrics at (http://\S+?/) ")
        port = int(self.wait_for(r"listening on 127\.0\.0\.1:(\d+)"))
        self.users = [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(2)]
        self.wait_for(r"(user 1 joined)")
        self.users[0].sendall(b"hello\n")
        self.users[1].recv(100)
        return self

    def __exit__(self, *_):
        for user in self.users:
            user.close()
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)
        self.folder.cleanup()

    def wait_for(self, pattern):
        with subprocess.Popen(["tail", "-F", "-n", "+1", self.log], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as lines:
            try:
                return next(found[1] for found in map(re.compile(pattern).search, lines.stdout)
                            if found)
            finally:
                lines.kill()

    def metrics(self):
        with urllib.request.urlopen(self.url + "metrics", timeout=PATIENCE) as answer:
            return answer.read().decode("utf-8")


def described(text):
    """(name, type, help) of each metric."""
    return [(name, kind, help_text) for name, help_text, kind in
            re.findall(r"^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$", text, re.MULTILINE)]


@unittest.skipUnless((BUILD / "chatserv-metrics").exists(), "this build is without --metrics")
class MetricsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        feed = socket.create_server(("127.0.0.1", 0))
        cls.source = f"tcp:127.0.0.1:{feed.getsockname()[1]}"
        with feed, Server("--source", cls.source, "--source", ODD_PATH) as server:
            server.wait_for(r"(source tcp:\S+ is connected)")
            cls.text = server.metrics()

    def test_each_source_has_its_series(self):
        for name, value in (("connected", 1), ("connections_total", 1), ("received_bytes_total", 0),
                            ("sent_bytes_total", 0), ("dropped_datagrams_total", 0)):
            with self.subTest(name):
                series = [line for line in self.text.splitlines()
                          if line.startswith(f"chatserv_source_{name}{{")]
                self.assertEqual(len(series), 2, series)
                self.assertIn(f'chatserv_source_{name}{{source="{self.source}"}} {value}', series)

    @needs("promtool")
    def test_promtool_has_nothing_to_say(self):
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
            file.write(self.text)
            file.flush()
            checked = run_anyhow("sh", "-c", 'promtool check metrics <"$0"', file.name)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_docs_have_the_table_that_the_program_has(self):
        rows = re.findall(r"^\| `(chatserv_\w+)` \| (\w+) \| (.*) \|$",
                          PAGE.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertGreater(len(rows), 20)
        self.assertEqual(rows, described(self.text))

    def test_the_dashboard_names_only_metrics_that_there_are(self):
        dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
        self.assertGreater(len(dashboard["panels"]), 10)
        there = set()
        for name, kind, _ in described(self.text):
            there |= {name + "_sum", name + "_count"} if kind == "summary" else {name}
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                named = set(re.findall(r"chatserv_\w+", target["expr"]))
                with self.subTest(panel["title"]):
                    self.assertTrue(named)
                    self.assertLessEqual(named, there)
        variables = json.dumps(dashboard["templating"])
        self.assertLessEqual(set(re.findall(r"chatserv_\w+", variables)), there)

    def test_no_panel_of_the_dashboard_lies_on_another(self):
        taken = set()
        for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            self.assertLess(max(x for x, _ in cells), 24)
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells


# In the page: what is too wide, too small or too pale, and what has no words for those who do not see it.
FAULTS = r"""(() => {
    const luminance = (color) => {
        const parts = color.match(/[\d.]+/g).slice(0, 3).map((part) => part / 255)
            .map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
    };
    const ground = (element) => {
        for (; element; element = element.parentElement) {
            const color = getComputedStyle(element).backgroundColor;
            if (!/, 0\)$/.test(color)) return color;
        }
        return "rgb(255, 255, 255)";
    };
    const texts = [...document.querySelectorAll("body *")].filter((element) =>
        [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) &&
        !["SCRIPT", "NOSCRIPT"].includes(element.tagName));
    const pale = [], small = [], outside = [];
    for (const element of texts) {
        const style = getComputedStyle(element);
        const color = element instanceof SVGElement ? style.fill : style.color;
        const [light, dark] = [luminance(color), luminance(ground(element))].sort((a, b) => b - a);
        const said = element.textContent.trim().slice(0, 40);
        if ((light + 0.05) / (dark + 0.05) < CONTRAST) pale.push(said);
        if (parseFloat(style.fontSize) < FONT) small.push(said);
        const box = element.getBoundingClientRect();
        if (box.left < 0 || box.right > innerWidth + 0.5) outside.push(said);
    }
    const plots = [...document.querySelectorAll("svg")];
    const cut = plots.flatMap((svg) => [...svg.querySelectorAll("text")].filter((text) => {
        const [inner, outer] = [text.getBoundingClientRect(), svg.getBoundingClientRect()];
        return inner.left < outer.left - 0.5 || inner.right > outer.right + 0.5;
    }).map((text) => text.textContent));
    return {
        pale, small, outside, cut,
        width: document.documentElement.scrollWidth,
        scrolls: [...document.querySelectorAll(".scrolls")].filter(
            (box) => box.scrollWidth > box.clientWidth + 1).length,
        plots: plots.length,
        unnamed: plots.filter((svg) => !svg.getAttribute("aria-label")).length,
        undrawn: plots.filter((svg) => !/L/.test(svg.querySelector("path").getAttribute("d"))).length,
        words: document.body.innerText,
    };
})()""".replace("CONTRAST", str(CONTRAST_MIN)).replace("FONT", str(FONT_PIXELS_MIN))


@unittest.skipUnless((BUILD / "chatserv-metrics").exists(), "this build is without --metrics")
@unittest.skipIf(browser_path() is None,
                 "there is no Chromium to show the page (apt-get install chromium)")
class StatusPageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """CHATSERV_TEST_PICTURES names a folder in which pictures of the page are left."""
        cls.faults = {}
        pictures = os.environ.get("CHATSERV_TEST_PICTURES")
        with Server() as server, Browser() as browser:
            for size in SIZES:
                for scheme in ("light", "dark"):
                    browser.show(server.url, *size, scheme)
                    browser.wait_until("typeof readings === 'object' && readings.length >= 3")
                    cls.faults[(size[0], scheme)] = browser.value_of(FAULTS)
                    if pictures:
                        browser.picture(f"{pictures}/page-{size[0]}-{scheme}.png")
            cls.url = server.url
            cls.requested, cls.complaints = browser.requested()
            cls.old = cls.after_the_end(server, browser)

    @staticmethod
    def after_the_end(server, browser):
        server.process.terminate()
        server.process.wait(timeout=PATIENCE)
        browser.wait_until("document.getElementById('state').className === 'bad'")
        return browser.value_of("document.getElementById('state').textContent")

    def check(self, judge):
        self.assertEqual(len(self.faults), 4)
        for where, found in self.faults.items():
            with self.subTest(where=where):
                judge(where, found)

    def test_fits_the_screen(self):
        def judge(where, found):
            self.assertLessEqual(found["width"], where[0])
            self.assertEqual(found["outside"] + found["cut"], [])
            self.assertEqual(found["scrolls"], 0)
        self.check(judge)

    def test_can_be_read_by_everyone(self):
        def judge(_, found):
            self.assertEqual(found["pale"], [])
            self.assertEqual(found["small"], [])
            self.assertEqual(found["unnamed"], 0)
        self.check(judge)

    def test_shows_the_server(self):
        def judge(_, found):
            self.assertEqual((found["plots"], found["undrawn"]), (4, 0))
            for words in ("serving, up", "Users", "of 10", "Log fill", "6 B in all", "Takeovers"):
                self.assertIn(words, found["words"])
            for nonsense in ("NaN", "undefined", "null", "Infinity"):
                self.assertNotIn(nonsense, found["words"])
        self.check(judge)

    def test_asks_its_own_server_alone_and_has_no_complaints(self):
        self.assertGreater(len(self.requested), 10)
        self.assertEqual([url for url in self.requested if not url.startswith(self.url)], [])
        self.assertEqual(self.complaints, [])

    def test_says_when_the_server_is_gone(self):
        self.assertEqual(self.old, "the server does not answer; what is shown is old")


if __name__ == "__main__":
    unittest.main()
