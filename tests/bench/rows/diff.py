"""Two images of 1 GiB that differ in one byte."""

import hashlib
import shutil

from measure import run, side_by_side
from project import Project
from report import NOTHING, Line, at_most, mebibytes_at_most
import trees

TITLE = "`remint diff` of two images of 1 GiB that differ in one byte"
AGAINST = "`zstd -dc` and `openssl sha256` of both layers, side by side"
REST = """
Both layers are decompressed and hashed as the peer does it, and so are the blobs, since an image promises both digests: these SHA-256
take three quarters of the CPU time. Files are told apart by BLAKE3 as they pass, a tenth of it. The file that differs is read once
more, without hashing what stands before it.
"""

FILES = 64
SIZE = 16 << 20
PIECE = 1 << 20


def measure(bench):
    project = Project(bench, "diff", {name: '[[layer]]\ncopy = "tree"\nto = "/srv"\n' for name in ("one", "other")})
    tree = project.folder("one") / "tree"
    tree.mkdir()
    for at in range(FILES):
        with open(tree / f"file{at:02}", "wb") as out:
            for piece in range(SIZE // PIECE):
                out.write(hashlib.shake_256(b"file %d piece %d" % (at, piece)).digest(PIECE))
    shutil.copytree(tree, project.folder("other") / "tree")
    with open(project.folder("other") / "tree/file40", "r+b") as out:
        out.seek(SIZE // 2)
        out.write(b"\0changed")
    for name in ("one", "other"):
        trees.age(project.folder(name) / "tree")
    project.lock()
    project.build()
    layers = [project.layer(name) for name in ("one", "other")]
    hashing = " & ".join(f"(zstd -dcq {layer} | openssl sha256)" for layer in layers) + " & wait"
    # It ends with 1, since they differ.
    command = " ".join(str(word) for word in project.command("diff", "one", "other")) + " || [ $? = 1 ]"
    costs = side_by_side(
        {"remint": (lambda: None, lambda: run(command)), "hashing": (lambda: None, lambda: run(hashing))}, 5
    )
    bench.remove(project.dir)
    return [
        Line("two images of 1 GiB, one byte apart", costs["remint"], "reading and hashing both", costs["hashing"], at_most(1.5)),
        Line("its memory", costs["remint"], "", NOTHING, mebibytes_at_most(200)),
    ]
