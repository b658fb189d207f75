"""The image of the Containerfile: built with buildah, and run as a container engine runs it: as process
1, as a user that is in no list, with a root that cannot be written to. Needs root and the network."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from package_scene import PATIENCE, TOP, heard_through, needs, run

BUILD_PATIENCE = 3600  # seconds
APT = pathlib.Path("/etc/apt")
START = ('mount --bind "$0" "$0" && mount -t proc proc "$0/proc" && mount -o remount,bind,ro "$0" && '
         'exec chroot --userspec=12345:12345 "$0" /usr/bin/chatserv --listen 127.0.0.1:0')


class Buildah:
    def __init__(self, folder):
        self.command = ("buildah", "--root", folder / "images", "--runroot", folder / "run",
                        "--storage-driver", "vfs")

    def __call__(self, *words):
        return run(*self.command, *words, timeout=BUILD_PATIENCE).strip()

    def make_debian(self, root):
        """Stands for the images that a registry has; with this machine's settings of apt."""
        run("debootstrap", "--variant=minbase", "bookworm", root, timeout=BUILD_PATIENCE)
        if (APT / "sources.list.d").is_dir():
            (root / "etc/apt/sources.list").unlink(missing_ok=True)
        shutil.copytree(APT, root / "etc/apt", dirs_exist_ok=True, symlinks=True)
        container = self("from", "scratch")
        self("add", container, root, "/")
        self("commit", container, "debian:12")
        self("tag", "debian:12", "debian:12-slim")


@unittest.skipIf(os.geteuid() != 0, "only root can make a root")
@needs("buildah", "debootstrap", "unshare")
class ContainerTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.buildah = Buildah(self.folder)
        self.buildah.make_debian(self.folder / "debian")
        self.buildah("build", "--isolation", "chroot", "--pull-never", "--tag", "chatserv", "--file",
                     TOP / "packaging/container/Containerfile", TOP)

    def test_serves_as_process_1_of_any_user_with_a_root_that_is_read_only(self):
        container = self.buildah("from", "--pull-never", "localhost/chatserv")
        root = self.buildah("mount", container)
        self.addCleanup(self.buildah, "umount", container)
        self.assertFalse((pathlib.Path(root) / "usr/bin/c++").exists())
        server = subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
                                   START, root],
                                  stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        with server:
            try:
                self.assertEqual(heard_through(server), b"hello\n")
            finally:
                first = run("pgrep", "--parent", server.pid).strip()
                os.kill(int(first), signal.SIGTERM)
                server.communicate(timeout=PATIENCE)
        self.assertEqual(server.returncode, 0)


if __name__ == "__main__":
    unittest.main()
