"""The targets: what the default is compared with, and when it meets them."""
import unittest

from sample import ONE, TWO, document, flood_runs, latency, run  # first: it finds the bench
from report.targets import targets
from scenes import flood, idle, paced, stalled, talk
from servers import BARE_RELAY_NAME, DEFAULT_NAME, FLOOR_NAME, NCAT_NAME


def judged(*scenes):
    return {(target.scene, target.what): target for target in targets(document(*scenes))}


class Targets(unittest.TestCase):
    def met(self, scene, by_server):
        """Whether each target is met, by what it is about."""
        return {what: target.met for (_, what), target in judged((scene, by_server)).items()}

    def test_flood_beside_the_floor(self):
        met = self.met(flood(9, 61), flood_runs(8.5e6, 1.3))
        self.assertTrue(met["deliveries/s, beside the floor"])
        self.assertTrue(met["CPU per delivery, beside the floor"])
        missed = self.met(flood(9, 61), flood_runs(8.4e6, 1.31))
        self.assertFalse(missed["deliveries/s, beside the floor"])
        self.assertFalse(missed["CPU per delivery, beside the floor"])

    def test_default_beside_the_best_number_of_workers_of_each_figure(self):
        for scene in (flood(100, 61), talk(10, 90), stalled(9)):
            near = {DEFAULT_NAME: [run(10e6, 1.1)], ONE: [run(11e6, 2.0)], TWO: [run(5e6, 1.0)]}
            found = judged((scene, near))
            more = found[scene.name, "deliveries/s, beside the best number of workers"]
            cpu = found[scene.name, "CPU per delivery, beside the best number of workers"]
            self.assertEqual((more.met, more.measured), (True, f"0.909 × {ONE}"))
            self.assertEqual((cpu.met, cpu.measured), (True, f"1.100 × {TWO}"))
            far = self.met(scene, {**near, DEFAULT_NAME: [run(9.9e6, 1.11)]})
            self.assertFalse(far["deliveries/s, beside the best number of workers"])
            self.assertFalse(far["CPU per delivery, beside the best number of workers"])

    def test_without_a_pace_the_default_is_ahead_of_the_bare_relay_and_every_peer(self):
        for scene in (flood(100, 61), talk(10, 90)):
            ahead = {DEFAULT_NAME: [run(10e6, 1.0)], BARE_RELAY_NAME: [run(9e6, 1.1)],
                     NCAT_NAME: [run(9e6, 3.0)], "redis": [run(1e6, 4.0)]}
            met = self.met(scene, ahead)
            self.assertTrue(met["deliveries/s, beside the bare relay"])
            self.assertTrue(met["CPU per delivery, beside the bare relay"])
            self.assertTrue(met["deliveries/s"])
            level = self.met(scene, {**ahead, BARE_RELAY_NAME: [run(10e6, 1.0)],
                                     "redis": [run(10e6, 4.0)]})
            self.assertFalse(level["deliveries/s, beside the bare relay"])
            self.assertFalse(level["CPU per delivery, beside the bare relay"])
            self.assertFalse(level["deliveries/s"])

    def test_the_rounds_that_meet_a_target_are_counted(self):
        by_server = {DEFAULT_NAME: [run(10e6), run(10e6), run(10e6)],
                     ONE: [run(12e6), run(9e6), run(11e6)]}
        target = judged((flood(9, 61), by_server))[
            flood(9, 61).name, "deliveries/s, beside the best number of workers"]
        self.assertEqual((target.met, target.rounds), (True, "2 of 3"))

    def test_where_the_load_was_the_limit_of_both_it_is_said(self):
        for busy, words in ((0.5, "0.500; the load was the limit of both"), (0.4, "0.500")):
            by_server = {DEFAULT_NAME: [run(4e6, load_cpu_seconds=0.5)],
                         BARE_RELAY_NAME: [run(8e6, load_cpu_seconds=busy)]}
            found = judged((talk(10), by_server))
            more = found[talk(10).name, "deliveries/s, beside the bare relay"]
            self.assertEqual((more.met, more.measured), (False, words))

    def test_a_default_that_loses_lines_meets_nothing(self):
        by_server = flood_runs(9e6, 1.0)
        by_server[DEFAULT_NAME][0]["error"] = "3 lines are missing"
        for target in judged((flood(9, 61), by_server)).values():
            self.assertIs(target.met, False)

    def test_what_was_not_measured_is_neither(self):
        without_others = judged((flood(9, 61), {DEFAULT_NAME: [run()]}))
        without_us = judged((flood(9, 61), {FLOOR_NAME: [run()], TWO: [run()]}))
        for target in [*without_others.values(), *without_us.values()]:
            self.assertIsNone(target.met)

    def test_many_listeners_are_compared_with_a_thousand(self):
        what = "CPU per delivery, beside 1,000 listeners"
        for cpu, met in ((1.2, True), (1.21, False)):
            found = judged((flood(1000, 61), flood_runs(9e6, 1.0)),
                           (flood(10000, 61), flood_runs(9e6, cpu)))
            self.assertIs(found[flood(10000, 61).name, what].met, met)

    def test_talk(self):
        by_server = {FLOOR_NAME: [run(1e6, 1.0)], DEFAULT_NAME: [run(2e6, 0.4)],
                     NCAT_NAME: [run(1e6, 0.7)]}
        met = self.met(talk(10), by_server)
        self.assertEqual({what: met for what, met in met.items() if met is not None},
                         {"deliveries/s, beside the floor": True, "deliveries/s": True,
                          "CPU per delivery, beside the floor": True,
                          "CPU per delivery": True,
                          "CPU per delivery, beside ncat": False})

    def test_paced_beside_peers(self):
        by_server = {NCAT_NAME: [latency(200, 500, 3.0)], DEFAULT_NAME: [latency(200, 600, 1.1)]}
        met = self.met(paced(9, 1000), by_server)
        self.assertTrue(met["latency, p50"])
        self.assertFalse(met["latency, p99"])

    def test_paced_beside_the_best_number_of_workers_of_each_figure(self):
        by_server = {DEFAULT_NAME: [latency(110, 111, 1.1)], ONE: [latency(100, 200, 1.0)],
                     TWO: [latency(200, 100, 2.0)]}
        met = self.met(paced(9, 1000), by_server)
        self.assertTrue(met["latency, p50, beside the best number of workers"])
        self.assertFalse(met["latency, p99, beside the best number of workers"])
        self.assertTrue(met["CPU per delivery, beside the best number of workers"])

    def test_only_with_few_listeners_may_a_lone_line_cost_more_than_in_the_bare_relay(self):
        what = "CPU per delivery, beside the bare relay"
        for listeners, cpu, met in ((9, 1.1, True), (9, 1.11, False), (100, 0.99, True),
                                    (100, 1.0, False)):
            by_server = {BARE_RELAY_NAME: [latency(1, 1, 1.0)],
                         DEFAULT_NAME: [latency(1, 1, cpu)]}
            self.assertIs(self.met(paced(listeners, 20), by_server)[what], met)

    def test_idle(self):
        silence = {"connections": 1001, "seconds": 1, "cpu_seconds": 0, "error": "",
                   "cpu_ms_per_second": 0.5, "bytes_per_connection": 1100,
                   "shared_bytes_per_connection": 128}
        self.assertEqual(list(self.met(idle(1000), {DEFAULT_NAME: [silence]}).values()),
                         [True, True])
        silence = silence | {"cpu_ms_per_second": 1.5, "bytes_per_connection": 2000}
        self.assertEqual(list(self.met(idle(1000), {DEFAULT_NAME: [silence]}).values()),
                         [False, False])


if __name__ == "__main__":
    unittest.main()
