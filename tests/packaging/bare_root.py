"""Roots that have nothing but Debian's base, and the package that is installed there."""
import os
import re
import subprocess

from package_scene import TOP, run, run_anyhow

BUILD_PATIENCE = 3600  # seconds


def package_of_this_tree():
    """Warnings of lintian are failures. CHATSERV_PACKAGE in the environment names a package that is built
    already."""
    named = os.environ.get("CHATSERV_PACKAGE")
    if named:
        return named
    run(TOP / "dev", "package", timeout=BUILD_PATIENCE)
    return next((TOP / "build-package").glob("chatserv_*.deb"))


def make_root(path, *packages):
    """With what the package depends on."""
    include = ",".join(("adduser", "libncursesw6", *packages))
    run("debootstrap", "--variant=minbase", f"--include={include}", "bookworm", path,
        timeout=BUILD_PATIENCE)


class BareRoot:
    """A root with namespaces of its own, whose processes end with it."""

    def __init__(self, path):
        self.path = path
        make_root(path)
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "chroot", self.path, "sh", "-c",
             "mount -t proc proc /proc && echo ready && exec sleep infinity"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        # The namespaces are those of the child.
        self.first = run("pgrep", "--parent", self.process.pid).strip()

    def end(self):
        self.process.kill()
        self.process.communicate()

    def command(self, *words):
        return ["nsenter", "--target", self.first, "--mount", "--pid", "--root", "--wd=/", "env",
                "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", *words]

    def run(self, *words):
        return run(*self.command(*words))

    def run_anyhow(self, *words):
        return run_anyhow(*self.command(*words))

    def file(self, path):
        return self.path / path.lstrip("/")


def of_version(package, version):
    """The same package with another version."""
    folder = package.parent / version
    run("dpkg-deb", "--raw-extract", package, folder)
    control = folder / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*$", f"Version: {version}", control.read_text("utf-8"),
                              flags=re.MULTILINE), encoding="utf-8")
    made = package.parent / f"chatserv_{version}.deb"
    run("dpkg-deb", "--root-owner-group", "--build", folder, made)
    return made
