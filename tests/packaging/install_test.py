"""`meson install`: what lies where, and that it works there: the server, and the kqueue library for
others."""
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from package_scene import BUILD, CHATSERV, PATIENCE, heard_through, needs, run, run_anyhow

PREFIX = os.environ.get("CHATSERV_INSTALLED_UNDER", "/usr/local")
INSTALLED = ("bin/chatserv", "libexec/chatserv/chatserv-worker", "share/man/man8/chatserv.8",
             "share/man/man8/chatserv-chaos.8", "share/man/man5/chatserv.conf.5",
             "share/bash-completion/completions/chatserv", "share/zsh/site-functions/_chatserv",
             "share/fish/vendor_completions.d/chatserv.fish")
OF_LINUX = ("lib/systemd/system/chatserv.service", "lib/systemd/system/chatserv.socket",
            "lib/sysusers.d/chatserv.conf", "include/chatserv-kqueue/sys/event.h",
            "share/man/man3/chatserv-kqueue.3")
# A pipe is written to, and its event is waited for.
PROGRAM = """
#include <sys/event.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
    int ends[2];
    struct kevent change, event;
    const int kq = kqueue();
    if (kq == -1 || pipe(ends) == -1 || write(ends[1], "abc", 3) != 3)
        return 1;
    EV_SET(&change, ends[0], EVFILT_READ, EV_ADD, 0, 0, NULL);
    if (kevent(kq, &change, 1, &event, 1, NULL) != 1)
        return 2;
    printf("%d bytes\\n", (int)event.data);
    return 0;
}
"""
# What may be done in a mount namespace of its own: the installed tree takes the prefix's place.
IN_PLACE = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
            'mount --bind "$0" "$1" && shift && exec "$@"']
NAMESPACES = run_anyhow("unshare", "--user", "--map-root-user", "--mount", "true").returncode == 0 \
    if os.path.exists("/usr/bin/unshare") else False


class InstallTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.root = pathlib.Path(folder.name)
        cls.install()

    @classmethod
    def install(cls):
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", cls.root)
        cls.tree = cls.root / PREFIX.lstrip("/")

    def configuration(self):
        return next(self.root.rglob("chatserv/chatserv.conf"))

    def test_puts_everything_in_its_place(self):
        for name in INSTALLED + OF_LINUX:
            self.assertTrue((self.tree / name).is_file(), name)
        sample = self.configuration().with_suffix(".conf.sample")
        self.assertEqual(self.configuration().read_text(encoding="utf-8"),
                         sample.read_text(encoding="utf-8"))

    def test_keeps_the_configuration_of_the_administrator(self):
        self.configuration().write_text("users = 12\n", encoding="utf-8")
        self.addCleanup(self.install)
        self.addCleanup(self.configuration().unlink)
        self.install()
        self.assertEqual(self.configuration().read_text(encoding="utf-8"), "users = 12\n")

    def test_the_unit_and_the_manual_name_the_installed_files(self):
        configuration = pathlib.Path("/") / self.configuration().relative_to(self.root)
        unit = (self.tree / "lib/systemd/system/chatserv.service").read_text(encoding="utf-8")
        self.assertIn(f"ExecStart={PREFIX}/bin/chatserv --config {configuration}\n", unit)
        manual = (self.tree / "share/man/man8/chatserv.8").read_text(encoding="utf-8")
        self.assertIn(f".It Pa {configuration}\n", manual)

    @needs("pkg-config", "cc")
    def test_the_kqueue_library_serves_other_programs(self):
        packages = next(self.tree.rglob("chatserv-kqueue.pc")).parent
        environment = {**os.environ, "PKG_CONFIG_PATH": str(packages),
                       "PKG_CONFIG_SYSROOT_DIR": str(self.root)}
        flags = run("pkg-config", "--cflags", "--libs", "chatserv-kqueue", env=environment).split()
        (self.root / "program.c").write_text(PROGRAM, encoding="utf-8")
        run("cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-D_POSIX_C_SOURCE=200809L",
            self.root / "program.c", *flags, "-o", self.root / "program")
        self.assertEqual(run(self.root / "program"), "3 bytes\n")
        self.assertEqual(run("pkg-config", "--modversion", "chatserv-kqueue", env=environment),
                         run(CHATSERV, "--version").removeprefix("chatserv "))

    @unittest.skipUnless(NAMESPACES, "this system lets nobody make a mount namespace")
    def test_the_installed_server_finds_its_workers_and_relays(self):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("CHATSERV_")}
        server = subprocess.Popen(
            [*IN_PLACE, str(self.tree), PREFIX, f"{PREFIX}/bin/chatserv", "--listen",
             "127.0.0.1:0", "--control", "none"],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
        with server:
            try:
                self.assertEqual(heard_through(server), b"hello\n")
            finally:
                server.send_signal(signal.SIGTERM)
                server.communicate(timeout=PATIENCE)
        self.assertEqual(server.returncode, 0)


if __name__ == "__main__":
    unittest.main()
