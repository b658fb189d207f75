"""The matrix of loads and servers, and the order of the runs."""
import pathlib
import unittest

import sample  # noqa: F401: it finds the bench
from plan import QUICK, WHOLE, Plan
from scenes import TAKEOVER, flood, idle, room_scenes, scenes
from servers import (DEFAULT_NAME, NATS_NAME, OURS, PEER, REDIS_NAME, VARIANT, Server, room_name, rooms,
                     servers, variant_name)


class Matrix(unittest.TestCase):
    def test_the_default_is_started_without_a_number_of_workers_and_comes_first_of_ours(self):
        ours = [server for server in servers(pathlib.Path("build"), pathlib.Path("folder"))
                if server.role in (OURS, VARIANT)]
        self.assertEqual([server.name for server in ours],
                         [DEFAULT_NAME, *map(variant_name, (1, 2, 4))])
        given = [[str(word) for word in server.command(flood(9, 61), 1, 1)] for server in ours]
        self.assertNotIn("--workers", given[0])
        self.assertEqual([words[words.index("--workers") + 1] for words in given[1:]],
                         ["1", "2", "4"])

    def test_whole_lines_take_part_if_asked_for_beside_the_same_server_without_them(self):
        everybody = servers(pathlib.Path("build"), pathlib.Path("folder"), framing=True)
        given = {server.name: [str(word) for word in server.command(flood(9, 61), 1, 1)]
                 for server in everybody if server.role == VARIANT}
        for workers in (1, 2):
            self.assertEqual(given[variant_name(workers)] + ["--framing", "line"],
                             given[variant_name(workers, lines=True)])

    def test_rooms_have_one_to_three_hosts_beside_one_server_nats_and_redis(self):
        everybody = rooms(pathlib.Path("build"), pathlib.Path("folder"))
        self.assertEqual([server.name for server in everybody],
                         [DEFAULT_NAME, NATS_NAME, REDIS_NAME, *map(room_name, (1, 2, 3))])
        for hosts, server in enumerate(everybody[3:], 1):
            words = [str(word) for word in server.command(flood(9, 61), 1, 1)]
            self.assertEqual(words[words.index("--hosts") + 1], str(hosts))
        known = {server.name for server in servers(pathlib.Path("build"), pathlib.Path("folder"))}
        for scene in room_scenes():
            self.assertLessEqual(set(scene.left_out), known)

    def test_names_of_loads_and_servers_tell_them_apart(self):
        for quick in (False, True):
            names = [scene.name for scene in scenes(quick)]
            self.assertEqual(len(names), len(set(names)))
        known = {server.name for server in servers(pathlib.Path("build"), pathlib.Path("folder"))}
        for scene in scenes(False) + scenes(True):
            self.assertLessEqual(set(scene.left_out), known, "a load leaves out an unknown server")
            self.assertNotIn(DEFAULT_NAME, scene.left_out)

    def test_every_load_fits_into_the_time(self):
        everybody = servers(pathlib.Path("build"), pathlib.Path("folder"))
        for quick, extent in ((False, WHOLE), (True, QUICK)):
            plan = Plan(scenes(quick), everybody, rounds=extent.rounds, seconds=extent.seconds,
                        takeover_seconds=extent.takeover_seconds)
            self.assertLessEqual(plan.total_seconds(), extent.budget_seconds)


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

    def test_servers_take_turns_the_next_begins_and_the_direction_alternates(self):
        self.assertEqual(self.order(self.plan([flood(9, 64)])), "abcbaccab")

    def test_takeovers_are_measured_once(self):
        self.assertEqual(self.order(self.plan([flood(9, 64)], rounds=2, takeover_seconds=1)),
                         "abc|bac")

    def test_a_load_may_be_run_in_fewer_rounds(self):
        plan = self.plan([idle(1000), flood(9, 61)], rounds=2)
        self.assertEqual(self.order(plan), "abcabcbac")

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


if __name__ == "__main__":
    unittest.main()
