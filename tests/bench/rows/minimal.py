"""Minimal Debian, the packages of mmdebstrap's minbase, configured."""

import limit
from measure import output, side_by_side
from report import Line, at_least, at_most

TITLE = "Minimal Debian: minbase's packages, .debs local, cold store, configured"
AGAINST = "mmdebstrap's minbase into a tar, and debootstrap's into a folder, everything on tmpfs, from a local archive"
REST = """
Of remint's CPU time decompressing the packages takes about 46 %, compressing the layer 20 % and hashing 13 %: the limit itself. The rest
is copying each file's bytes into the fragments, configuring (users, linker cache, certificates, dpkg's database), and the kernel's share of files and memory.
The store keeps every package's fragment beside the layer, which mmdebstrap does not: that is what makes the next build cheap.
"""


def measure(bench):
    project, peers = bench.minimal, bench.peers
    _ = peers.rootfs
    tar, tree = bench.work / "peer.tar", bench.work / "peer"
    costs = side_by_side(
        {
            "remint": (project.empty, lambda: project.build("debian")),
            "mmdebstrap": (lambda: tar.unlink(missing_ok=True), lambda: peers.mmdebstrap(tar), 3),
            "debootstrap": (lambda: bench.remove(tree), lambda: peers.debootstrap(tree), 1),
        },
        5,
    )
    listed = output(["tar", "-tf", tar])
    programs = ("usr/bin/dpkg", "usr/bin/apt-get", "usr/bin/perl")
    missing = [name for name in programs if f"./{name}" not in listed or not (tree / name).exists()]
    if missing:
        raise SystemExit(f"what the peers made lacks {', '.join(missing)}")
    tar.unlink()
    bench.remove(tree)
    debs = [bench.archive.dir / "flat" / name for _, name in project.debs]
    least = limit.of(project, "debian", debs)
    ours = costs["remint"]
    return [
        Line("minimal Debian, cold", ours, "mmdebstrap", costs["mmdebstrap"], at_least(10), {"debootstrap": costs["debootstrap"]}),
        Line("minimal Debian, cold", ours, "the limit", least, at_most(1.3)),
    ]
