"""One package added to a layer of 100."""

from measure import side_by_side
from project import Project
from report import Line, at_most

TITLE = "One package added to a layer of 100"
AGAINST = "the cold build of the same layer"
REST = """
The index of every package is read, the steps of configuration are done again over all packages, and the dpkg database is written anew, compressed and
hashed; the layer's tar and blob are hashed anew. No package but the new one is decompressed or compressed.
"""

HUNDRED = ["apt", "nginx", "python3"]
ADDED = "less"


def recipe(packages):
    names = ", ".join(f'"{name}"' for name in packages)
    return f"[[layer]]\nessential = true\npackages = [{names}]\n"


def measure(bench):
    project = Project(bench, "added", {"image": recipe(HUNDRED)})
    project.fetch()
    count = len(project.debs)
    project.empty()
    project.build("image")
    project.recipe("image", recipe([*HUNDRED, ADDED]))
    project.fetch()
    more = len(project.debs) - count
    project.add_packages()
    project.keep()
    costs = side_by_side(
        {
            "remint": (project.restore, lambda: project.build("image")),
            "cold": (project.empty, lambda: project.build("image")),
        },
        5,
    )
    bench.remove(project.dir)
    title = f"{more} package added to {count}"
    return [Line(title, costs["remint"], "cold", costs["cold"], at_most(0.15))]
