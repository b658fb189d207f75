"""./dev bench: what it says before a build that may take longer than the bench."""
import unittest

from script_scene import Scene


class Bench(Scene):
    """All packages are installed; what is to be built is made up."""

    def setUp(self):
        super().setUp()
        self.stand_in("dpkg-query", "echo install ok installed")
        self.stand_in("apt-get", "exit 99")
        self.stand_in("meson", "mkdir -p build && touch build/build.ninja")
        self.stand_in("getconf", "echo 2")
        (self.top / "bench").mkdir()
        self.stand_in("run", 'echo "the bench: $*"', "bench")

    def stand_in_ninja(self, steps):
        self.stand_in("ninja", f"""case " $* " in
            *' -n '*) [ {steps} = 0 ] || echo '[1/{steps}] Compiling' ;;
            *bench-programs*) echo building >>built ;;
            esac""")

    def test_it_says_before_the_build_how_long_the_build_and_the_bench_take(self):
        self.stand_in_ninja(178)
        status, output, errors = self.run_to_end("./dev", "bench", "--quick")
        self.assertEqual((status, output), (0, "the bench: --quick\n"), errors)
        self.assertRegex(errors, r"first the build of 178 steps, about 2 min on 2 cores, then the"
                         r" bench: about 25 min, or less than 2 min with --quick\nbuilding .*\(178 steps\)")
        self.assertTrue((self.top / "built").exists())

    def test_it_says_nothing_of_a_build_that_is_done(self):
        self.stand_in_ninja(0)
        status, output, errors = self.run_to_end("./dev", "bench")
        self.assertEqual((status, output), (0, "the bench: \n"), errors)
        self.assertNotIn("first the build", errors)

    def test_help_and_a_report_of_saved_figures_need_no_build(self):
        for options in (["--help"], ["--from", "figures.json"], ["--from=figures.json"]):
            status, output, errors = self.run_to_end("./dev", "bench", *options)
            self.assertEqual((status, output), (0, f"the bench: {' '.join(options)}\n"), errors)
            self.assertFalse((self.top / "build").exists())


if __name__ == "__main__":
    unittest.main()
