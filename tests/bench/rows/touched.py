"""One file of 10,000 changed."""

import subprocess

import trees
from measure import plus, run, side_by_side
from project import Project
from report import Line, at_most

TITLE = "One file of 10,000 (100 MiB) changed"
AGAINST = "`openssl sha256` of the layer's tar, and a stat of each file"
REST = """
Hashing the tar and the blob from the changed file on, reading what is hashed and checking it for rot take most of the CPU time: all of it for the first
file of the tree, next to nothing for the last; the files that are changed here are spread over the tree. Then come the stats, and writing the blob. The
two hashes and the reading go on beside each other.
"""


def measure(bench):
    project = Project(bench, "touched", {"big": '[[layer]]\ncopy = "tree"\nto = "/srv"\n'})
    tree = project.folder("big") / "tree"
    trees.make(tree, 10_000, 10_486)
    project.lock()
    project.build("big")
    tar = bench.work / "touched.tar"
    with open(tar, "wb") as out:
        subprocess.run(["zstd", "-dcq", project.layer("big")], check=True, stdout=out)
    files = sorted(tree.rglob("*.py"))
    places = trees.places(files)
    costs = side_by_side(
        {
            "remint": (lambda: trees.change(next(places), 1), lambda: project.build("big")),
            "openssl": (lambda: None, lambda: run(["openssl", "sha256", tar])),
            "stat": (lambda: None, lambda: run(["find", tree, "-type", "f", "-size", "-1"])),
        },
        9,
    )
    tar.unlink()
    bench.remove(project.dir)
    both = plus(costs["openssl"], costs["stat"])
    return [Line("one file of 10,000 changed", costs["remint"], "openssl and stat", both, at_most(2))]
