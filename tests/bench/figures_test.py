"""What the bench makes of its runs: medians, ratios, and which rows are ahead of the default."""
import unittest

from sample import ONE, TWO, document, flood_runs, run  # first: it finds the bench
from report.figures import CPU, DELIVERIES, P99, loads, saturation, short
from scenes import flood, paced, talk
from servers import BARE_RELAY_NAME, DEFAULT_NAME, FLOOR_NAME, LINE_FLOOR_NAME, NCAT_NAME


class Figures(unittest.TestCase):
    def load(self, by_server, scene=flood(9, 64)):
        return loads(document((scene, by_server)))[0]

    def test_median_and_spread_are_of_all_rounds(self):
        row = self.load({NCAT_NAME: [run(9e6), run(1e6), run(2e6)]}).rows[0]
        self.assertEqual(row.median(DELIVERIES), 2)
        self.assertEqual(row.values(DELIVERIES), [1, 2, 9])

    def test_ratio_is_the_median_of_the_ratios_in_each_round(self):
        # The machine was slow in the second round, and it slowed down both.
        load = self.load({DEFAULT_NAME: [run(8e6), run(2e6), run(9e6)],
                          NCAT_NAME: [run(4e6), run(1e6), run(3e6)]})
        self.assertEqual(load.ratios(load.ours(), DELIVERIES, load.row(NCAT_NAME)), [2, 2, 3])
        self.assertEqual(load.ratio(load.ours(), DELIVERIES, load.row(NCAT_NAME)), 2)

    def test_a_round_in_which_one_has_no_figure_has_no_ratio(self):
        load = self.load({DEFAULT_NAME: [run(8e6), run(2e6)],
                          NCAT_NAME: [{"error": "gone"}, run(1e6), run(9e6)]})
        self.assertEqual(load.ratios(load.ours(), DELIVERIES, load.row(NCAT_NAME)), [2])
        self.assertIsNone(load.ratio(load.ours(), P99, load.row(NCAT_NAME)))
        self.assertIsNone(load.ratio(load.ours(), DELIVERIES, load.row("redis")))

    def test_ratio_is_to_the_floor_of_that_kind_of_load(self):
        load = self.load(flood_runs(8e6, 1.5))
        self.assertAlmostEqual(load.floor_ratio(load.ours(), DELIVERIES), 0.8)
        lines = self.load({FLOOR_NAME: [run(10e6)], LINE_FLOOR_NAME: [run(2e6)],
                           NCAT_NAME: [run(1e6)]}, talk(10))
        self.assertAlmostEqual(lines.floor_ratio(lines.row(NCAT_NAME), DELIVERIES), 0.1)

    def test_a_pace_is_compared_with_the_floor_in_cpu_time_only(self):
        load = self.load({LINE_FLOOR_NAME: [run(cpu=2.0)], NCAT_NAME: [run(cpu=3.0)]},
                         paced(9, 1000))
        self.assertIsNone(load.floor_ratio(load.row(NCAT_NAME), DELIVERIES))
        self.assertAlmostEqual(load.floor_ratio(load.row(NCAT_NAME), CPU), 1.5)

    def test_judged_is_the_default_alone(self):
        load = self.load({DEFAULT_NAME: [run(4e6)], TWO: [run(5e6)]})
        self.assertEqual(load.ours().server, DEFAULT_NAME)
        self.assertIsNone(self.load({TWO: [run(5e6)]}).ours())
        self.assertIsNone(self.load({DEFAULT_NAME: [run(5e6), run(error="torn")]}).ours())

    def behind(self, figure, by_server):
        return [(row.server, ratios) for row, ratios in self.load(by_server).behind(figure)]

    def test_behind_are_all_that_are_ahead_the_furthest_first(self):
        by_server = {DEFAULT_NAME: [run(4e6, 2.0)], ONE: [run(5e6, 1.0)], TWO: [run(3e6, 3.0)],
                     BARE_RELAY_NAME: [run(8e6, 2.0)], NCAT_NAME: [run(2e6, 0.5)],
                     FLOOR_NAME: [run(9e6, 0.1)]}
        self.assertEqual(self.behind(DELIVERIES, by_server),
                         [(BARE_RELAY_NAME, [0.5]), (ONE, [0.8])])
        self.assertEqual(self.behind(CPU, by_server), [(NCAT_NAME, [4]), (ONE, [2])])

    def test_a_peer_that_lost_lines_is_not_ahead(self):
        by_server = {DEFAULT_NAME: [run(4e6)], ONE: [run(3e6)],
                     "redis": [run(9e6, error="5 lines are missing")]}
        self.assertEqual(self.behind(DELIVERIES, by_server), [])

    def test_an_order_that_nobody_promised_does_not_take_a_peer_out(self):
        error = "listeners 0 and 9 disagree on the order"
        by_server = {DEFAULT_NAME: [run(4e6)], "redis": [run(8e6, error=error)]}
        self.assertEqual(self.behind(DELIVERIES, by_server), [("redis", [0.5])])

    def test_equals_are_both_first(self):
        self.assertEqual(self.behind(DELIVERIES, {DEFAULT_NAME: [run()], NCAT_NAME: [run()]}), [])

    def test_without_a_rival_there_is_no_place(self):
        self.assertIsNone(self.load({DEFAULT_NAME: [run()]}).behind(DELIVERIES))
        self.assertIsNone(self.load({NCAT_NAME: [run()]}).behind(DELIVERIES))

    def test_saturation_is_of_the_loads_cpu_time(self):
        self.assertEqual(saturation(document((flood(9, 64), flood_runs(1e6, 1)))), {64: 4000})

    def test_short(self):
        self.assertEqual([short(value) for value in (None, 0, 0.01234, 1.5, 23.456, 1234.5)],
                         ["", "0", "0.0123", "1.50", "23.5", "1,234"])


if __name__ == "__main__":
    unittest.main()
