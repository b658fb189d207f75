"""The report as text and as a page: nothing is missing, and the page is well formed."""
import json
import unittest
import xml.etree.ElementTree

from sample import document, everything, flood_runs, run, whole_bench  # first: it finds the bench
from report.markdown import markdown
from report.page import html_report
from report.table import table
from scenes import flood, paced
from servers import BARE_RELAY_NAME, DEFAULT_NAME, NCAT_NAME


def page_of(what):
    return xml.etree.ElementTree.fromstring(html_report(json.loads(json.dumps(what))))


def part(page, tag, title):
    """The text of the element whose heading is `title`."""
    return next("".join(element.itertext()) for element in page.iter(tag)
                if title in [heading.text for heading in element.iter("h2")])


class Report(unittest.TestCase):
    def test_is_well_formed_and_needs_nothing_else(self):
        for what in (everything(), document(), document((flood(9, 64), {})), whole_bench(2, 0.1)):
            page = html_report(json.loads(json.dumps(what)))
            xml.etree.ElementTree.fromstring(page)  # stricter than HTML asks for
            self.assertNotRegex(page, r"https?://|\ssrc=|\shref=|url\(|@import|<script")

    def test_plots_have_titles_and_no_numbers_that_are_none(self):
        page = html_report(everything())
        root = xml.etree.ElementTree.fromstring(page)
        plots = list(root.iter("svg"))
        self.assertGreater(len(plots), 10)
        names = [plot.find("title").get("id") for plot in plots]
        self.assertEqual(len(names), len(set(names)))
        for plot in plots:
            self.assertEqual(plot.get("role"), "img")
            self.assertTrue(plot.find("title").text and plot.find("desc").text)
        self.assertNotRegex(page, r"\bnan\b|\binf\b|None")

    def test_table_marks_rows(self):
        said = table(everything())
        self.assertRegex(said, r"redis .*! line 3 is torn")
        self.assertRegex(said, r"ncat --broker +! frozen")
        self.assertIn("NOT MET", said)

    def test_table_begins_and_ends_with_the_warnings(self):
        said = table(whole_bench(3, 0.43)).splitlines()
        self.assertRegex(said[0], "^WARNING: The machine was busy")
        self.assertIn(said[0], said[len(said) // 2:])
        self.assertNotIn("WARNING", table(whole_bench(3, 0)))

    def test_table_has_a_spread_only_with_several_rounds(self):
        self.assertNotIn("spread", table(whole_bench(1, 0)))
        self.assertIn("spread", table(whole_bench(2, 0)))

    def test_markdown_has_the_tables_of_the_documents(self):
        said = markdown(whole_bench(3, 0)).splitlines()
        heads = [line for line in said if line.startswith("| load | chatserv |")]
        self.assertEqual(len(heads), 2)
        self.assertIn("| 1 worker | 2 workers | 4 workers | bare relay | floor | ncat |", heads[0])
        for head in heads:
            rows = said[said.index(head) + 2:]
            self.assertEqual({line.count("|") for line in rows[:rows.index("")]},
                             {head.count("|")})

    def test_markdown_marks_rows(self):
        self.assertRegex(markdown(document((flood(9, 61), {
            DEFAULT_NAME: [run(8e6, 0.5)], NCAT_NAME: [run(2e6, error="line 3 is torn")]}))),
            r"\| flood, 9 listeners, 61 B \| 8.00 \(0.500\) \| 2.00 \(1.00\) ! \|")

    def test_every_figure_in_which_the_default_is_not_first_is_named_with_the_ratio(self):
        what = document((flood(9, 61), {DEFAULT_NAME: [run(4e6, 1.0)], NCAT_NAME: [run(5e6, 2.0)],
                                        BARE_RELAY_NAME: [run(8e6, 1.0)]}))
        said = table(what)
        self.assertIn("chatserv is first in 1 of 2 figures; it is not in:", said)
        self.assertRegex(said, r"flood, 9 listeners, 61 B, Deliveries +0.500 × bare relay, 64 KiB;"
                         r" 0.800 × ncat --broker")
        rows = part(page_of(what), "details", "Where chatserv is not first")
        self.assertIn("1 of 2 figures", rows)
        for words in ("Deliveries", "bare relay, 64 KiB", "0.500", "0.800 × ncat --broker"):
            self.assertIn(words, rows)

    def test_a_default_that_failed_is_not_first(self):
        what = document((flood(9, 61), {DEFAULT_NAME: [run(9e6, error="line 3 is torn")],
                                        NCAT_NAME: [run(5e6, 2.0)]}))
        rows = part(page_of(what), "details", "Where chatserv is not first")
        self.assertIn("2 of 2 figures", rows)
        self.assertIn("line 3 is torn", rows)


class Front(unittest.TestCase):
    """What stands above the folds."""

    def front(self, what):
        """The texts of the elements before the first fold."""
        body = page_of(what).find("body")
        return ["".join(element.itertext()) for element in body if element.tag != "details"]

    def test_a_quiet_machine_and_enough_rounds_need_no_warning(self):
        front = self.front(whole_bench(3, 0.01))
        self.assertEqual(front[0], "chatserv beside its peers")

    def test_the_first_line_warns_of_a_busy_machine(self):
        front = self.front(whole_bench(3, 0.43))
        self.assertRegex(front[0], "^The machine was busy: other programs used 43 % of its proc")
        self.assertIn("(load average at the start: 0.1)", front[0])

    def test_the_first_line_warns_of_too_few_rounds(self):
        self.assertRegex(self.front(whole_bench(2, 0))[0], "^Too few rounds to judge: 2,")
        some = whole_bench(3, 0)
        for result in some["results"]:
            if result["scene"] == "10 talk, 90 listen, 64 B":
                result["runs"] = result["runs"][:1]
        loads = len(some["scenes"])
        self.assertRegex(self.front(some)[0],
                         f"^Too few rounds to judge for 1 of {loads} loads: 1,")

    def test_a_load_that_needs_one_round_is_not_warned_of(self):
        idle_once = whole_bench(3, 0)
        for result in idle_once["results"]:
            if result["scene"] == "10000 idle connections":
                result["runs"] = result["runs"][:1]
        self.assertEqual(self.front(idle_once)[0], "chatserv beside its peers")

    def test_the_chart_has_the_default_the_well_known_peers_and_the_floor(self):
        chart = page_of(whole_bench(3, 0)).find(".//figure[@id='chart']")
        names = [name.text for name in chart.iterfind(".//span[@class='name']")]
        self.assertEqual(names, ["chatserv", "ncat --broker", "Redis", "NATS", "floor"])
        self.assertIn("100 clients listen", "".join(chart.itertext()))
        self.assertIn("only writes", "".join(chart.itertext()))

    def test_the_bars_of_the_chart_are_linear_from_zero(self):
        by_server = {DEFAULT_NAME: [run(8e6)], NCAT_NAME: [run(2e6)]}
        chart = page_of(document((flood(9, 61), by_server))).find(".//figure[@id='chart']")
        self.assertEqual([bar.get("style") for bar in chart.iterfind(".//span[@class='fill']")],
                         ["width: 100.0%", "width: 25.0%"])

    def test_what_is_missing_or_failed_is_named(self):
        what = everything()
        what["scenes"].append({**vars(paced(100, 200)), "seconds": 1})
        missing = next(words for words in self.front(what) if words.startswith("Not in this"))
        for words in ("redis: not installed or not built", "paced, 100 listeners: not run",
                      "ncat --broker failed: 10 talk, 61 B (gone)",
                      "redis failed: flood, 9 listeners, 64 B (line 3 is torn <&>)"):
            self.assertIn(words, missing)
        missing = next(words for words in self.front(whole_bench(3, 0))
                       if words.startswith("Not in this"))
        self.assertIn("ncat --broker: it uses select(2), which is limited to 1,024 descriptors "
                      "(flood, 10000 listeners, 61 B; ", missing)

    def test_servers_that_are_missing_for_one_reason_share_a_line(self):
        what = document((flood(9, 61, left_out={NCAT_NAME: "slow", "redis": "slow"}),
                         {DEFAULT_NAME: [run()]}))
        for server in what["servers"]:
            server.update(missing=False, takes_part=True)
        missing = next(words for words in self.front(what) if words.startswith("Not in this"))
        self.assertIn("ncat --broker; redis: slow (every load)", missing)

    def test_nothing_is_said_to_be_missing_when_nothing_is(self):
        what = document((flood(9, 61), {DEFAULT_NAME: [run()]}), takeover={"results": [
            {"clients": 10, "what": "first byte after SIGKILL", "median_ms": 1, "p99_ms": 1}]})
        what["servers"] = [server for server in what["servers"] if not server["missing"]]
        self.assertFalse([words for words in self.front(what) if words.startswith("Not in this")])


class Takeover(unittest.TestCase):
    def fold(self, what):
        return part(page_of(what), "details", "Takeover: a worker or the master is killed")

    def test_the_headline_has_worker_and_master(self):
        said = self.fold(everything())
        self.assertIn("first byte after SIGKILL: median 1.50 ms with 10 clients, "
                      "1.50 ms with 1,000 clients", said)
        self.assertIn("newcomer answered after SIGKILL: median 1.50 ms with 10 clients", said)

    def test_the_cost_of_a_shared_table_is_told(self):
        self.assertIn("together took 1.50 µs of processor time, and 1.25 µs in a process with a "
                      "table of its own",
                      self.fold(everything()))
        self.assertIn("1.25 µs of processor time with a descriptor table of its own, 1.50 µs "
                      "with a shared one",
                      table(everything()))

    def test_a_system_without_shared_tables_has_no_such_cost(self):
        what = everything()
        what["takeover"]["accepts"] = {}
        self.assertNotIn("µs in a process with a table of its own", self.fold(what))
        self.assertNotIn("with a shared one", table(what))


class Folds(unittest.TestCase):
    def test_one_round_has_no_spread(self):
        self.assertFalse(page_of(whole_bench(1, 0)).findall(".//small[@class='spread']"))
        spread = page_of(whole_bench(3, 0)).findall(".//small[@class='spread']")
        self.assertGreater(len(spread), 100)
        self.assertTrue(all(" – " in one.text for one in spread))

    def test_every_wide_table_says_that_it_can_be_scrolled(self):
        page = page_of(whole_bench(3, 0))
        for parent in page.iter():
            for before, element in zip([None, *parent], parent):
                if element.get("class") == "wide":
                    self.assertEqual(before.get("class"), "cue soft")

    def test_everything_but_the_front_is_folded(self):
        page = page_of(whole_bench(3, 0))
        folds = page.find("body").findall("details")
        self.assertGreater(len(folds), 8)
        self.assertFalse([fold for fold in folds if fold.get("open") is not None])
        self.assertEqual(len(list(page.iter("svg"))),
                         sum(len(list(fold.iter("svg"))) for fold in folds))


if __name__ == "__main__":
    unittest.main()
