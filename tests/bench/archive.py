"""A Debian archive on this machine's loopback, so that nobody's time holds a download.

It has the signed lists of the real archive, which are fetched once, and the packages that the rows need, as remint's lock has
them. The lists of the real archive are for locking; what peers install is in a flat archive beside it that has those packages alone.
"""

import hashlib
import os
import re
import subprocess
import sys
import time
import urllib.request
from email.utils import formatdate
from functools import cached_property
from pathlib import Path

import measure

SUITES = ("trixie", "trixie-updates", "trixie-security")


class Archive:
    """The archive, made when it is first needed."""

    def __init__(self, work):
        self.dir = work / "archive"
        self.server = None

    def stop(self):
        """Ends the server."""
        if self.server:
            self.server.terminate()
            self.server.wait()

    @cached_property
    def address(self):
        """Where it is served."""
        self.dir.mkdir(parents=True, exist_ok=True)
        self.server = subprocess.Popen(
            [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--protocol", "HTTP/1.1", "--directory", self.dir],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        port = re.search(r"port (\d+)", self.server.stdout.readline())[1]
        return f"http://127.0.0.1:{port}"

    def add(self, packages):
        """Adds packages, by digest and name in the pool, and lists them all anew."""
        pool = self.dir / "flat"
        pool.mkdir(parents=True, exist_ok=True)
        for blob, name in packages:
            if not (pool / name).exists():
                os.link(blob, pool / name)
        listed = measure.output(["dpkg-scanpackages", "--multiversion", "."], cwd=pool, stderr=subprocess.DEVNULL)
        # By the code name peers find what is essential here; that the archive is trusted their source says. debootstrap knows archives
        # with suites alone.
        digest = hashlib.sha256(listed.encode()).hexdigest()
        for place, path in ((pool, "Packages"), (pool / "dists/trixie", "main/binary-amd64/Packages")):
            keep(place / path, listed.encode())
            release = (
                f"Codename: trixie\nSuite: trixie\nDate: {formatdate(usegmt=True)}\nArchitectures: amd64 all\nComponents: main\n"
                f"SHA256:\n {digest} {len(listed.encode())} {path}\n"
            )
            keep(place / "Release", release.encode())

    @property
    def source(self):
        """The line of apt's sources for what peers install."""
        return f"deb [trusted=yes] {self.address}/flat ./"

    @cached_property
    def lists(self):
        """The real archive's lists, served here; the value for `REMINT_DEBIAN_MIRROR`."""
        for suite in SUITES:
            source = host_mirror(suite)
            release = fetch(f"{source}/dists/{suite}/InRelease")
            place = self.dir / "debian/dists" / suite
            keep(place / "InRelease", release)
            path = "main/binary-amd64/Packages.xz"
            digest = re.search(rf"^ ([0-9a-f]{{64}}) +\d+ {re.escape(path)}$", release.decode(), re.M)[1]
            packages = fetch(f"{source}/dists/{suite}/main/binary-amd64/by-hash/SHA256/{digest}")
            keep(place / path, packages)
            keep(place / "main/binary-amd64/by-hash/SHA256" / digest, packages)
        return f"{self.address}/debian"


def host_mirror(suite):
    """Where this machine's apt gets the archive that a suite belongs to: security updates have one of their own."""
    text = "\n".join(path.read_text() for path in sorted(Path("/etc/apt/sources.list.d").glob("*.sources")))
    for stanza in text.split("\n\n"):
        uri, suites = re.search(r"^URIs: *(\S+)", stanza, re.M), re.search(r"^Suites: *(.*)$", stanza, re.M)
        if uri and suites and suites[1].split()[0].endswith("-security") == suite.endswith("-security"):
            return uri[1].rstrip("/")
    raise SystemExit(f"this machine's apt sources (deb822) name no mirror for {suite}")


def fetch(address):
    """What stands at an address, in three tries."""
    for left in (2, 1, 0):
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                return answer.read()
        except OSError:
            if not left:
                raise
            time.sleep(2)


def keep(path, content):
    """Writes a file with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
