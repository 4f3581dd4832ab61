"""Python, CA certificates and an application of 2,000 files: built, built again, and built after one file changed."""

import trees
from measure import side_by_side
from project import Project
from report import Line, at_least

TITLE = "python3, CA certificates and an app of 2,000 files: cold, nothing changed, one file changed"
AGAINST = "the equal Dockerfile on docker's BuildKit, docker's classic builder and buildah, base image present, packages from a local archive"
REST = """
Cold: decompressing and compressing Python's packages; the application's 2,000 files are read once. Nothing changed: two fifths are a stat of
each file, a fifth the start of the process, the rest is reading recipes, lock and the results of actions. One file changed: the run of files around it
(1.4 MB on average) is read, hashed and compressed; the layer's tar and blob are hashed from there on, since their names depend on every byte; of the
layers below, only what lies under `/srv` is looked at.
"""

RECIPE = """
from = "debian"
[[layer]]
packages = ["ca-certificates", "python3"]
[[layer]]
copy = "app"
to = "/srv/app"
[config]
entrypoint = ["/usr/bin/python3", "/srv/app/main.py"]
"""

DOCKERFILE = """FROM localhost/minimal
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates python3 \\
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
COPY app /srv/app
ENTRYPOINT ["/usr/bin/python3", "/srv/app/main.py"]
"""


def measure(bench):
    project = Project(bench, "app", {"debian": bench.shipped_recipe("debian"), "app": RECIPE})
    folder = project.folder("app")
    trees.make(folder / "app", 2000, 4096)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    project.fetch()
    # The peers have the base image; so has remint.
    project.empty()
    project.build("debian")
    project.keep()

    peers = list(bench.peers.builders)
    forget = {peer: lambda peer=peer: bench.peers.forget(peer) for peer in peers}
    build = {peer: lambda peer=peer: bench.peers.build(peer, folder) for peer in peers}
    ours = lambda: project.build("app")
    nothing = lambda: None

    works = {"remint": (project.restore, ours)}
    works |= {peer: (forget[peer], build[peer], 3 if peer == "BuildKit" else 1) for peer in peers}
    cold = side_by_side(works, 3)

    again = side_by_side({"remint": (nothing, ours)} | {peer: (nothing, build[peer], 4) for peer in peers}, 9)

    turns = iter(range(1000))
    places = trees.places(sorted((folder / "app").rglob("*.py")))

    def touch():
        trees.change(next(places), next(turns))

    def first(build):
        """Builds what the others' turns changed, so that one file is all that changes then."""
        return lambda: (build(), touch())

    works = {"remint": (first(ours), ours)} | {peer: (first(build[peer]), build[peer], 3) for peer in peers}
    touched = side_by_side(works, 5)
    for peer in peers:
        bench.peers.forget(peer)
    return [
        line(title, costs, peers, 10)
        for title, costs in (("python3 and 2,000 files, cold", cold), ("nothing changed", again), ("one file of 2,000 changed", touched))
    ]


def line(title, costs, peers, bar):
    """A line against the fastest of some peers; the others are told beside it."""
    fastest = min(peers, key=lambda peer: costs[peer].wall)
    others = {peer: costs[peer] for peer in peers if peer != fastest}
    return Line(title, costs["remint"], fastest, costs[fastest], at_least(bar), others)
