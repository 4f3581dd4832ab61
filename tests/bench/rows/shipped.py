"""All recipes that ship with remint, built again without a change."""

import shutil

from measure import middle, run
from project import Project
from report import NOTHING, Line, seconds_at_most

TITLE = "Nothing changed, all shipped recipes for both architectures"
AGAINST = "the clock"
REST = """
Sixteen images for two architectures: the start of the process, recipes and lock, and a look at each action's result and its blobs.
"""


def measure(bench):
    project = Project(bench, "shipped", {})
    shutil.copytree(bench.root / "recipes", project.dir / "recipes")
    # For both architectures, so from the real archive, which the lists of this run are a part of.
    bench.quietly(project.command("build"))
    ours = middle([run(project.command("build")) for _ in range(15)])
    bench.remove(project.dir)
    return [Line("nothing changed, all shipped recipes", ours, "", NOTHING, seconds_at_most(0.030))]
