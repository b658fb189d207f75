"""The report as text and as a page: nothing is missing, and the page is well formed."""
import json
import unittest
import xml.etree.ElementTree

from sample import document, flood_runs, run  # first: it finds the bench
from report.page import html_report
from report.table import table
from scenes import flood, idle, paced, stalled, storm, talk
from servers import DEFAULT_NAME, LINE_FLOOR_NAME, NCAT_NAME


class Report(unittest.TestCase):
    def everything(self):
        latency = {"p50": 100, "p99": 900, "p99.9": 1500}
        storm_run = {"connections": 1000, "seconds": 0.1, "connections_per_second": 1e4,
                     "cpu_seconds": 0.1, "cpu_us_per_connection": 90, "pss_bytes": 9, "error": ""}
        idle_run = {"connections": 1001, "seconds": 1, "cpu_seconds": 0, "error": "",
                    "pss_bytes": 9, "cpu_ms_per_second": 0, "bytes_per_connection": 300,
                    "shared_bytes_per_connection": 128}
        quiet = {"longest_silence_seconds": 0.9}
        return document(
            (flood(9, 64), flood_runs(8e6, 1.2, redis=[run(7e3, error="line 3 is torn <&>")])),
            (flood(10000, 64), flood_runs(8e6, 1.2)),
            (talk(10), {LINE_FLOOR_NAME: [run(1e6), run(2e6)], NCAT_NAME: [{"error": "gone"}],
                        DEFAULT_NAME: [run(2e6), run(3e6)]}),
            (paced(9, 1000), {NCAT_NAME: [run(latency_us=latency)], "redis": [{"error": "gone"}],
                              DEFAULT_NAME: [run(latency_us=latency)]}),
            (storm(1000), {DEFAULT_NAME: [storm_run]}),
            (idle(1000), {DEFAULT_NAME: [idle_run], NCAT_NAME: [idle_run]}),
            (stalled(9), {DEFAULT_NAME: [run(**quiet)], NCAT_NAME: [{"error": "frozen"}]}),
            takeover={"results": [
                {"clients": clients, "what": what, "median_ms": 1.5, "p99_ms": 9,
                 "samples_ms": [1, 1.5, 9]} for clients in (10, 1000)
                for what in ("first byte, worker alive", "first byte after SIGKILL")]})

    def test_is_well_formed_and_needs_nothing_else(self):
        for what in (self.everything(), document(), document((flood(9, 64), {}))):
            page = html_report(json.loads(json.dumps(what)))
            xml.etree.ElementTree.fromstring(page)  # stricter than HTML asks for
            self.assertNotRegex(page, r"https?://|\ssrc=|\shref=|url\(|@import|<script")

    def test_plots_have_titles_and_no_numbers_that_are_none(self):
        page = html_report(self.everything())
        root = xml.etree.ElementTree.fromstring(page)
        plots = list(root.iter("svg"))
        self.assertGreater(len(plots), 10)
        names = [plot.find("title").get("id") for plot in plots]
        self.assertEqual(len(names), len(set(names)))
        for plot in plots:
            self.assertEqual(plot.get("role"), "img")
            self.assertTrue(plot.find("title").text and plot.find("desc").text)
        self.assertNotRegex(page, r"\bnan\b|\binf\b|None")

    def test_says_what_failed_and_who_is_missing(self):
        page = html_report(self.everything())
        for words in ("line 3 is torn &lt;&amp;&gt;", "frozen", "not installed or not built",
                      "bench/run &lt;&amp;&gt;", "not met"):
            self.assertIn(words, page)

    def test_table_marks_rows(self):
        said = table(self.everything())
        self.assertRegex(said, r"redis .*! line 3 is torn")
        self.assertRegex(said, r"ncat --broker +! frozen")
        self.assertIn("NOT MET", said)


if __name__ == "__main__":
    unittest.main()
