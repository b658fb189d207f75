"""The report's page in a real browser: what is above the fold, and that nothing is cut off or too
small on a telephone. Skipped where there is no Chromium."""
import html
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from sample import everything, whole_bench  # first: it finds the bench
from report.page import html_report

FRAMES = pathlib.Path(__file__).with_name("frames.html")
BROWSERS = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
SKIPPED = 77  # how a test tells meson
SIZES = ((400, 800), (1400, 900))
FONT_PIXELS_MIN = 10


def browser():
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def frame(title, page, width, height):
    return (f'<iframe title="{html.escape(title)}" style="width: {width}px; height: {height}px"'
            f' srcdoc="{html.escape(page)}"></iframe>')


def measured(pages):
    """What frames.html finds out about each page in each size."""
    frames = "\n".join(frame(title, page, *size) for title, page in pages.items()
                       for size in SIZES)
    with tempfile.TemporaryDirectory() as folder:
        all_frames = pathlib.Path(folder) / "frames.html"
        all_frames.write_text(FRAMES.read_text(encoding="utf-8").replace("<!-- FRAMES -->", frames),
                              encoding="utf-8")
        # Chromium's sandbox needs rights that root in a container may not have; this page is ours.
        said = subprocess.run(
            [browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             f"--user-data-dir={folder}/profile", "--virtual-time-budget=60000", "--dump-dom",
             all_frames.as_uri()], capture_output=True, text=True, timeout=100, check=False)
    result = re.search(r'<pre id="result">(.*?)</pre>', said.stdout, re.DOTALL)
    if result is None or not result.group(1):
        raise RuntimeError(f"{browser()} did not measure the page: {said.stderr[-2000:]}")
    return json.loads(html.unescape(result.group(1)))


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.frames = measured({"a quiet machine": html_report(whole_bench(3, 0.01)),
                               "a busy machine, two rounds": html_report(whole_bench(2, 0.43)),
                               "failures": html_report(everything())})

    def check(self, judge):
        self.assertEqual(len(self.frames), 6)
        for one in self.frames:
            with self.subTest(one["what"], width=one["width"]):
                judge(one)

    def test_the_chart_is_above_the_fold_and_all_else_is_folded(self):
        def judge(one):
            self.assertGreaterEqual(one["bars"], 3)
            self.assertLess(one["chart_bottom"], one["height"])
            self.assertGreater(one["bar_width_min"], one["width"] / 3)
            self.assertEqual(one["open_folds"], 0)
        self.check(judge)

    def test_nothing_is_wider_than_the_screen(self):
        def judge(one):
            self.assertEqual(one["cut_off"] + one["cut_off_in_folds"], [])
            self.assertLessEqual(one["page_width"], one["width"])
            self.assertLessEqual(one["open_page_width"], one["width"])
        self.check(judge)

    def test_a_table_that_has_to_be_scrolled_says_so(self):
        self.check(lambda one: self.assertEqual(one["without_cue"], []))

    def test_the_text_of_every_plot_is_legible_and_inside_of_it(self):
        def judge(one):
            self.assertGreater(one["plots"], 10)
            self.assertGreaterEqual(one["font_pixels_min"], FONT_PIXELS_MIN)
            self.assertEqual(one["text_outside"], [])
        self.check(judge)


if __name__ == "__main__":
    if browser() is None:
        print("skipped: there is no Chromium to show the page (apt-get install chromium)")
        sys.exit(SKIPPED)
    unittest.main()
