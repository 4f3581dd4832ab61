"""How much memory a large layer takes."""

from project import Project
from report import NOTHING, Line, mebibytes_at_most
import trees

TITLE = "Peak memory of a layer of 1 GiB, and of 4 GiB"
AGAINST = "a bound of 150 MiB; a layer four times as large may take a tenth more"
REST = """
Two chunks of 2 MiB a core before and after compression, the largest package's contents up to 24 MiB a core, and the lists of files.
"""


def measure(bench):
    peaks = {}
    for gibibytes in (1, 4):
        project = Project(bench, f"memory{gibibytes}", {"large": '[[layer]]\ncopy = "tree"\nto = "/srv"\n'})
        tree = project.folder("large") / "tree"
        trees.make(tree / "small", 2000 * gibibytes, 4096)
        # Holes take no space, and are hashed and packed like any other bytes.
        pattern = trees.content(gibibytes, 1 << 20)
        for number in range(4 * gibibytes):
            with open(tree / f"large{number}", "wb") as out:
                out.write(pattern)
                out.truncate(254 << 20)
        trees.age(tree)
        project.lock()
        peaks[gibibytes] = project.build("large")
        bench.remove(project.dir)
    return [
        Line("a layer of 1 GiB", peaks[1], "", NOTHING, mebibytes_at_most(150)),
        Line("a layer of 4 GiB", peaks[4], "", NOTHING, mebibytes_at_most(1.1 * peaks[1].memory)),
    ]
