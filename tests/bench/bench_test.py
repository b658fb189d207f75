"""What the bench makes of its runs: medians, ratios, ranks, targets, turns, the report."""
import json
import pathlib
import sys
import unittest
import xml.etree.ElementTree

sys.dont_write_bytecode = True
BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))

from report.figures import CPU, DELIVERIES, P99, loads, saturation, short  # noqa: E402
from plan import Plan  # noqa: E402
from report.page import html_report  # noqa: E402
from scenes import TAKEOVER, flood, idle, paced, stalled, storm, talk  # noqa: E402
from servers import (BARE_RELAY_NAME, FLOOR, FLOOR_NAME, LINE_FLOOR_NAME,  # noqa: E402
                     NCAT_NAME, OURS, PEER, YARDSTICK, Server)
from report.table import table  # noqa: E402
from report.targets import targets  # noqa: E402

ROLES = {FLOOR_NAME: FLOOR, LINE_FLOOR_NAME: FLOOR, BARE_RELAY_NAME: YARDSTICK,
         "chatserv, 1 worker": OURS, "chatserv, 2 workers": OURS, NCAT_NAME: PEER, "redis": PEER}


def run(rate=1e6, cpu=1.0, error="", **more):
    """As measure() returns it."""
    return {"lines_sent": 10, "deliveries": 1000, "missing": 0, "seconds": 0.5,
            "deliveries_per_second": rate, "load_cpu_seconds": 0.25, "cpu_seconds": 0.2,
            "cpu_us_per_delivery": cpu, "pss_bytes": 2**20, "error": error, **more}


def document(*scenes, takeover=None):
    """`scenes`: each a Scene and the runs of each server."""
    return {"date": "2026-11-24T10:00:00+0000", "command": ["bench/run", "<&>"], "commit": "abc",
            "machine": {"cpu": "CPU <1>", "cores": 2, "memory_bytes": 2**33, "kernel": "6.1",
                        "load_average": [0.1, 0.2, 0.3]},
            "quick": False, "rounds": 3, "seconds": 0.3, "took_seconds": 12,
            "servers": [{"name": name, "role": role, "version": "1.0", "missing": name == "redis",
                         "takes_part": True} for name, role in ROLES.items()],
            "scenes": [{**vars(scene), "seconds": 0.3} for scene, _ in scenes],
            "results": [{"scene": scene.name, "server": server, "runs": runs}
                        for scene, by_server in scenes for server, runs in by_server.items()],
            "takeover": takeover or {"error": "not selected"}}


def flood_runs(rate, cpu, **more):
    return {FLOOR_NAME: [run(10e6, 1.0)], "chatserv, 1 worker": [run(rate, cpu)],
            NCAT_NAME: [run(5e6, 3.0)], **more}


def judged(*scenes):
    return {(target.scene, target.what): target for target in targets(document(*scenes))}


class Figures(unittest.TestCase):
    def load(self, by_server, scene=flood(9, 64)):
        return loads(document((scene, by_server)))[0]

    def test_median_and_spread_are_of_all_rounds(self):
        row = self.load({NCAT_NAME: [run(9e6), run(1e6), run(2e6)]}).rows[0]
        self.assertEqual(row.median(DELIVERIES), 2)
        self.assertEqual(row.values(DELIVERIES), [1, 2, 9])

    def test_ratio_is_of_medians_to_the_floor_of_that_kind_of_load(self):
        load = self.load(flood_runs(8e6, 1.5))
        self.assertAlmostEqual(load.floor_ratio(load.row("chatserv, 1 worker"), DELIVERIES), 0.8)
        lines = self.load({FLOOR_NAME: [run(10e6)], LINE_FLOOR_NAME: [run(2e6)],
                           NCAT_NAME: [run(1e6)]}, talk(10))
        self.assertAlmostEqual(lines.floor_ratio(lines.row(NCAT_NAME), DELIVERIES), 0.1)

    def test_a_pace_is_compared_with_the_floor_in_cpu_time_only(self):
        load = self.load({LINE_FLOOR_NAME: [run(cpu=2.0)], NCAT_NAME: [run(cpu=3.0)]},
                         paced(9, 1000))
        self.assertIsNone(load.floor_ratio(load.row(NCAT_NAME), DELIVERIES))
        self.assertAlmostEqual(load.floor_ratio(load.row(NCAT_NAME), CPU), 1.5)

    def test_judged_is_the_row_that_delivers_most_without_fault(self):
        load = self.load({"chatserv, 1 worker": [run(4e6)], "chatserv, 2 workers": [run(5e6)]})
        self.assertEqual(load.ours().server, "chatserv, 2 workers")
        load = self.load({"chatserv, 1 worker": [run(4e6)],
                          "chatserv, 2 workers": [run(5e6), run(5e6, error="line 3 is torn")]})
        self.assertEqual(load.ours().server, "chatserv, 1 worker")

    def test_rank_counts_peers_that_delivered_everything(self):
        load = self.load(flood_runs(4e6, 1.0, redis=[run(9e6, error="5 lines are missing")]))
        self.assertEqual(load.rank(DELIVERIES), (2, 2))
        self.assertEqual(load.rank(CPU), (1, 2))

    def test_an_order_that_nobody_promised_does_not_take_a_peer_out(self):
        error = "listeners 0 and 9 disagree on the order"
        load = self.load(flood_runs(4e6, 1.0, redis=[run(9e6, error=error)]))
        self.assertEqual(load.rank(DELIVERIES), (3, 3))

    def test_equals_share_a_place(self):
        load = self.load({"chatserv, 1 worker": [run(4e6)], NCAT_NAME: [run(4e6)]})
        self.assertEqual(load.rank(DELIVERIES), (1, 2))

    def test_saturation_is_of_the_loads_cpu_time(self):
        self.assertEqual(saturation(document((flood(9, 64), flood_runs(1e6, 1)))), {64: 4000})

    def test_short(self):
        self.assertEqual([short(value) for value in (None, 0, 0.01234, 1.5, 23.456, 1234.5)],
                         ["", "0", "0.0123", "1.50", "23.5", "1,234"])


class Targets(unittest.TestCase):
    def test_flood(self):
        name = flood(9, 64).name
        met = judged((flood(9, 64), flood_runs(8.5e6, 1.3)))
        self.assertTrue(met[name, "deliveries/s, relative to the floor"].met)
        self.assertTrue(met[name, "CPU per delivery, relative to the floor"].met)
        missed = judged((flood(9, 64), flood_runs(8.4e6, 1.31)))
        self.assertFalse(missed[name, "deliveries/s, relative to the floor"].met)
        self.assertFalse(missed[name, "CPU per delivery, relative to the floor"].met)
        self.assertEqual(missed[name, "CPU per delivery, relative to the floor"].by,
                         "chatserv, 1 worker")

    def test_a_row_that_loses_lines_meets_nothing(self):
        by_server = flood_runs(9e6, 1.0)
        by_server["chatserv, 1 worker"][0]["error"] = "3 lines are missing"
        for target in judged((flood(9, 64), by_server)).values():
            self.assertIs(target.met, False)

    def test_what_was_not_measured_is_neither(self):
        without_floor = judged((flood(9, 64), {"chatserv, 1 worker": [run()]}))
        without_us = judged((flood(9, 64), {FLOOR_NAME: [run()]}))
        for target in [*without_floor.values(), *without_us.values()]:
            self.assertIsNone(target.met)

    def test_many_listeners_are_compared_with_a_thousand(self):
        found = judged((flood(1000, 64), flood_runs(9e6, 1.0)),
                       (flood(10000, 64), flood_runs(9e6, 1.21)))
        what = "CPU per delivery, relative to 1,000 listeners"
        self.assertFalse(found[flood(10000, 64).name, what].met)

    def test_talk(self):
        by_server = {FLOOR_NAME: [run(1e6, 1.0)], "chatserv, 1 worker": [run(2e6, 0.4)],
                     NCAT_NAME: [run(1e6, 0.7)]}
        found = {what: target.met for (_, what), target in judged((talk(10), by_server)).items()}
        self.assertEqual(found, {"deliveries/s, relative to the floor": True, "deliveries/s": True,
                                 "CPU per delivery, relative to the floor": True,
                                 "CPU per delivery": True,
                                 "CPU per delivery, relative to ncat": False})

    def test_paced(self):
        def latency(p50, p99, cpu):
            return run(cpu=cpu, latency_us={"p50": p50, "p99": p99, "p99.9": p99})
        by_server = {BARE_RELAY_NAME: [latency(1, 1, 1.0)], NCAT_NAME: [latency(200, 500, 3.0)],
                     "chatserv, 1 worker": [latency(200, 600, 1.1)],
                     "chatserv, 2 workers": [latency(100, 601, 1.1)]}
        scene = paced(9, 1000)
        found = judged((scene, by_server))
        self.assertEqual(loads(document((scene, by_server)))[0].ours().median(P99), 0.6)
        self.assertTrue(found[scene.name, "latency, p50"].met)
        self.assertFalse(found[scene.name, "latency, p99"].met)
        self.assertTrue(found[scene.name, "CPU per delivery, relative to the bare relay"].met)

    def test_idle(self):
        silence = {"connections": 1001, "seconds": 1, "cpu_seconds": 0, "error": "",
                   "cpu_ms_per_second": 0.5, "bytes_per_connection": 1100,
                   "shared_bytes_per_connection": 128}
        found = judged((idle(1000), {"chatserv, 1 worker": [silence]}))
        self.assertEqual([target.met for target in found.values()], [True, True])


class Turns(unittest.TestCase):
    def plan(self, scenes, rounds=3, **more):
        servers = [Server(name, PEER, "raw", None, "sh") for name in "abc"]
        return Plan(scenes, servers, rounds=rounds, seconds=0.1, **more)

    def order(self, plan, took=0.0):
        names = []
        for scene, server in plan.turns():
            names.append(scene if server is None else server.name)
            if server is not None:
                plan.took(scene, server, took, False)
        return "".join(name if name != TAKEOVER else "|" for name in names)

    def test_servers_take_turns_and_another_begins_each_round(self):
        self.assertEqual(self.order(self.plan([flood(9, 64)])), "abcbcacab")

    def test_takeovers_are_measured_once(self):
        self.assertEqual(self.order(self.plan([flood(9, 64)], rounds=2, takeover_seconds=1)),
                         "abc|bca")

    def test_a_round_that_does_not_fit_into_the_time_is_left_out_whole(self):
        plan = self.plan([flood(9, 64)], budget_seconds=30)
        self.assertEqual(self.order(plan, took=11.0), "abc")

    def test_one_that_gave_up_is_not_asked_again(self):
        plan = self.plan([flood(9, 64)], rounds=2)
        names = []
        for scene, server in plan.turns():
            names.append(server.name)
            plan.took(scene, server, 0, server.name == "b")
        self.assertEqual("".join(names), "abcca")

    def test_who_is_left_out_does_not_run(self):
        plan = self.plan([flood(9, 64, left_out={"a": "too slow"})], rounds=1)
        self.assertEqual(self.order(plan), "bc")


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
                        "chatserv, 2 workers": [run(2e6), run(3e6)]}),
            (paced(9, 1000), {NCAT_NAME: [run(latency_us=latency)], "redis": [{"error": "gone"}],
                              "chatserv, 1 worker": [run(latency_us=latency)]}),
            (storm(1000), {"chatserv, 1 worker": [storm_run]}),
            (idle(1000), {"chatserv, 1 worker": [idle_run], NCAT_NAME: [idle_run]}),
            (stalled(9), {"chatserv, 1 worker": [run(**quiet)], NCAT_NAME: [{"error": "frozen"}]}),
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
