"""Packages unpacked into one layer and no more, as a shell script would."""

import limit
from measure import run, side_by_side
from project import Project
from report import Line, at_least, at_most

TITLE = "A closure unpacked into one layer, `configure = \"none\"`"
AGAINST = "a shell script of `dpkg-deb -x`, `tar`, `sha256sum` and `zstd -T2` or `gzip`"
REST = """
As for minimal Debian, without configuring. The largest packages are unpacked first, so that no core waits long at the end;
packing begins when all are unpacked. gzip's bytes are made by zlib-rs in blocks on all cores, which the script's `gzip` cannot.
"""

RECIPE = """
[[layer]]
packages = ["git", "nginx", "python3"]
configure = "none"
"""

SCRIPT = """
mkdir {work}/root
for deb in {debs}; do dpkg-deb -x "$deb" {work}/root; done
tar -C {work}/root --sort=name --numeric-owner --format=pax -cf {work}/layer.tar .
sha256sum {work}/layer.tar
{compress} {work}/layer.tar >{work}/layer.packed
sha256sum {work}/layer.packed
"""


def measure(bench):
    project = Project(bench, "closure", {"closure": RECIPE})
    project.fetch()
    debs = [bench.archive.dir / "flat" / name for _, name in project.debs]
    work = bench.work / "shell"

    def clean():
        bench.remove(work)
        work.mkdir()

    lines = []
    count, size = len(debs), sum(deb.stat().st_size for deb in debs) / 1e6
    for codec, compress in (("zstd", f"zstd -q -3 -T{limit.CORES} -c"), ("gzip", "gzip -6 -c")):
        script = SCRIPT.format(work=work, debs=" ".join(map(str, debs)), compress=compress)
        costs = side_by_side(
            {
                "remint": (project.empty, lambda codec=codec: project.build("closure", "--compression", codec)),
                "shell": (clean, lambda script=script: run(script), 3),
            },
            5,
        )
        least = limit.of(project, "closure", debs, codec)
        title = f"closure of {count} packages, {size:.0f} MB, {codec}"
        lines += [
            Line(title, costs["remint"], "shell", costs["shell"], at_least(2)),
            Line(title, costs["remint"], "the limit", least, at_most(1.3)),
        ]
    bench.remove(work)
    return lines
