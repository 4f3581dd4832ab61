"""Twenty images over two bases, with 100 files and a user each; the bases are there."""

from limit import CORES
from measure import Cost, run, side_by_side
from project import Project
from report import Line, at_least, at_most
from rows.app import line
import trees

TITLE = "Twenty recipes over two bases, 100 files and a user each, bases built: cold, and nothing changed"
AGAINST = "docker's BuildKit and buildah, four builds at a time"
REST = """
The trees of the two bases are read once and shared; each image adds its user to the base's files of accounts and packs two small layers, each
by one thread: to wake a core that sleeps takes longer than what it would help with. What is left on one core is the start, the plan, and what is
written down at the end.
"""

BASES = ("debian", "interpreter")
INTERPRETER = """
from = "debian"
[[layer]]
packages = ["ca-certificates", "python3"]
"""


def measure(bench):
    project = Project(bench, "twenty", {"debian": bench.shipped_recipe("debian"), "interpreter": INTERPRETER})
    images = [f"image{number:02}" for number in range(20)]
    for number, image in enumerate(images):
        base = BASES[number % 2]
        project.recipe(
            image,
            f'from = "{base}"\n[[layer]]\ncopy = "files"\nto = "/srv/{image}"\nowner = "service{number}"\n'
            f"[users.service{number}]\nuid = {10_000 + number}\n",
        )
        folder = project.folder(image)
        trees.make(folder / "files", 100, 4096, seed=100_000 + 100 * number)
        peer_base = {"debian": "localhost/minimal", "interpreter": "localhost/interpreter"}[base]
        (folder / "Dockerfile").write_text(
            f"FROM {peer_base}\nRUN useradd --uid {10_000 + number} --no-create-home service{number}\n"
            f"COPY --chown={10_000 + number} files /srv/{image}\n"
        )
    project.fetch()
    project.empty()
    project.build(*BASES)
    project.keep()

    interpreter = project.dir / "interpreter"
    interpreter.mkdir()
    (interpreter / "Dockerfile").write_text(
        "FROM localhost/minimal\nRUN apt-get update && apt-get install -y --no-install-recommends ca-certificates python3\n"
    )
    peers = ["BuildKit", "buildah"]
    for peer in peers:
        bench.peers.build(peer, interpreter, "localhost/interpreter")

    def build_all(peer):
        words, env = bench.peers.builders[peer](f"{project.dir}/recipes/IMAGE", "localhost/IMAGE")
        cost = run(f"printf '%s\\n' {' '.join(images)} | xargs -P 4 -I IMAGE {' '.join(words)}", env=env)
        return cost if peer == "buildah" else Cost(cost.wall, 0, 0)

    def forget(peer):
        bench.peers.forget(peer, [f"localhost/{image}" for image in images])

    build = {peer: lambda peer=peer: build_all(peer) for peer in peers}
    ours = lambda: project.build()
    nothing = lambda: None
    works = {"remint": (project.restore, ours)}
    works |= {peer: (lambda peer=peer: forget(peer), build[peer], 3 if peer == "BuildKit" else 1) for peer in peers}
    cold = side_by_side(works, 5)
    again = side_by_side(
        {"remint": (nothing, ours)} | {peer: (nothing, build[peer], 3 if peer == "BuildKit" else 1) for peer in peers}, 9
    )
    for peer in peers:
        forget(peer)
    bench.remove(project.dir)
    spread = Line("20 recipes, cold", cold["remint"], f"CPU time / {CORES} cores", Cost(cold["remint"].cpu / CORES, 0, 0), at_most(1.2))
    return [line("20 recipes, cold", cold, peers, 5), spread, line("20 recipes, nothing changed", again, peers, 20)]
