"""All shipped recipes verified: built once more, elsewhere, under other circumstances, and compared."""

import os
import shutil
import tempfile
from pathlib import Path

from measure import run, side_by_side
from project import PACKAGE, Project
from report import Line, at_most

TITLE = "`remint verify` of all shipped recipes for both architectures"
AGAINST = "one cold build of them, packages local"
REST = """
It is a cold build itself, whose store is thrown away: packages come out of the project's store, and every result is compared as it appears. Blobs are
not read again, since a store names what it writes by its digest. The rebuild goes to another file system than the store's: from a disk, where projects
mostly are, to memory, and where the store is in memory as well, to a disk, which then makes a part of the difference.
"""


def measure(bench):
    with tempfile.TemporaryDirectory(prefix="remint-bench.", dir="/var/tmp") as disk:
        return [line(bench, "on a disk", Path(disk)), line(bench, "in memory", bench.work)]


def line(bench, where, place):
    """Both works with the project, and the store in it, in some place."""
    project = Project(bench, place / "verify", {})
    shutil.copytree(bench.root / "recipes", project.dir / "recipes")
    # For both architectures, so from the real archive, which the lists of this run are a part of.
    bench.quietly(project.command("build"))
    packages = {digest for _, _, _, digest, _ in PACKAGE.findall((project.dir / "remint.lock").read_text())}
    cold = project.dir / "cold"

    def only_packages():
        bench.remove(cold)
        blobs = cold / "blobs/sha256"
        blobs.mkdir(parents=True)
        for digest in packages:
            os.link(project.store / "blobs/sha256" / digest, blobs / digest)

    costs = side_by_side(
        {
            "build": (only_packages, lambda: run(project.command("build", "--offline", store=cold))),
            "verify": (lambda: bench.remove(cold), lambda: run(project.command("verify", "--offline"))),
        },
        3,
    )
    bench.remove(project.dir)
    title = f"all shipped recipes verified, store {where}"
    return Line(title, costs["verify"], "building them cold", costs["build"], at_most(1.15))
