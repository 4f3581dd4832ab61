"""Pushing to a registry, pushing what is there, and pulling a base, against skopeo."""

import hashlib
import json
import shutil
import socket
import subprocess
import time

from measure import run, side_by_side
from project import Project
from report import NOTHING, Line, at_most, mebibytes_at_most
import trees

TITLE = "Registry: push, push again, pull, on loopback"
AGAINST = "`skopeo copy` of the same image, already compressed, to and from Debian's docker-registry"
REST = """
A blob is read once and sent as it is; its digest is known, and the registry verifies it. Several are on their way at once. What is there costs a
request for the tag, and one for what is attached. A base is verified while it comes in.
"""

SIZES = {"82 MB": 82_000_000, "500 MiB": 500 << 20}
LAYERS = 5
PIECE = 400_000


class Registry:
    """Debian's docker-registry with its files on the tmpfs."""

    def __init__(self, bench):
        self.dir = bench.work / "registry"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.dir.mkdir(parents=True, exist_ok=True)
        config = {
            "version": "0.1",
            "log": {"level": "error"},
            "storage": {"filesystem": {"rootdirectory": str(self.storage)}},
            "http": {"addr": self.address},
        }
        (self.dir / "config.yml").write_text(json.dumps(config))
        self.child = subprocess.Popen(
            ["docker-registry", "serve", self.dir / "config.yml"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(100):
            try:
                socket.create_connection(self.address.split(":")).close()
                break
            except OSError:
                time.sleep(0.1)

    @property
    def storage(self):
        return self.dir / "storage"

    def empty(self):
        """Forgets everything; it keeps nothing in memory."""
        shutil.rmtree(self.storage, ignore_errors=True)

    def stop(self):
        self.child.terminate()
        self.child.wait()


def measure_size(bench, registry, title, size):
    """Push, push again and pull of one image."""
    name = "push" + title.split()[0]
    layers = "".join(f'[[layer]]\ncopy = "tree{at}"\nto = "/srv/{at}"\n\n' for at in range(LAYERS))
    project = Project(bench, name, {"image": layers})
    for at in range(LAYERS):
        tree = project.folder("image") / f"tree{at}"
        tree.mkdir(parents=True)
        # What was compressed before does not become smaller. In pieces: a child's peak begins with its parent's size.
        with open(tree / "file", "wb") as out:
            for piece in range(size // LAYERS // PIECE):
                out.write(hashlib.shake_256(b"layer %d piece %d" % (at, piece)).digest(PIECE))
        trees.age(tree)
    project.lock()
    project.build("image")
    to = f"{registry.address}/remint"
    publish = project.command("publish", "--to", to, "--no-attachments")
    other = f"docker://{registry.address}/skopeo/image:latest"
    skopeo = ["skopeo", "--insecure-policy", "copy", "--quiet"]
    copy = [*skopeo, "--dest-tls-verify=false", f"oci:{project.store}:image", other]
    push = side_by_side(
        {
            "remint": (registry.empty, lambda: run(publish)),
            "skopeo": (registry.empty, lambda: run(copy)),
        },
        5,
    )
    registry.empty()
    run(publish)
    run(copy)
    again = side_by_side(
        {"remint": (lambda: None, lambda: run(publish)), "skopeo": (lambda: None, lambda: run(copy))}, 9
    )
    user = Project(bench, name + "-pull", {"app": f'from = "{to}/image:latest"\n'})
    user.bench.quietly(user.command("lock"))
    target = user.dir / "copy"
    back = [*skopeo, "--src-tls-verify=false", other, f"oci:{target}:image"]
    pull = side_by_side(
        {
            "remint": (user.remove_store, lambda: run(user.command("build"))),
            "skopeo": (lambda: bench.remove(target), lambda: run(back)),
        },
        5,
    )
    for done in (project, user):
        bench.remove(done.dir)
    return [
        Line(f"an image of {title} that is not there", push["remint"], "skopeo", push["skopeo"], at_most(0.6)),
        Line("its memory", push["remint"], "", NOTHING, mebibytes_at_most(100)),
        Line(f"an image of {title} that is there", again["remint"], "skopeo", again["skopeo"], at_most(0.5)),
        Line(f"a base of {title}, pulled", pull["remint"], "skopeo", pull["skopeo"], at_most(0.6)),
        Line("its memory", pull["remint"], "", NOTHING, mebibytes_at_most(100)),
    ]


def measure(bench):
    registry = Registry(bench)
    try:
        return [line for title, size in SIZES.items() for line in measure_size(bench, registry, title, size)]
    finally:
        registry.stop()
