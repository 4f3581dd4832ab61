"""Writes BENCHMARKS.md."""

import shutil
import subprocess
import time
from pathlib import Path

import limit
import peers
import report

HEAD = """# Benchmarks

Speed is a ratio against a peer, or against a limit of the hardware, in the same run: machines are noisy, and figures of two machines cannot be
compared. `tests/bench/run`, as root on Debian, installs the peers, measures every row and writes this page and its chart; `tests/bench/run NAME…`
measures rows alone and prints them. All of it happens on a tmpfs and without the network: packages and lists are on this machine,
or come from its loopback. Each figure is the median of several runs, in which remint and its peers take turns, each once the machine has come to rest. "Cold" is a store that has the packages
and nothing else (and, where peers have a base image, that image); a peer's cache is emptied before each cold run. A daemon's own start and its CPU time are not counted.

**The limit** is the CPU time of `xz -dc` over the packages' data, of `zstd -3` (or `gzip -6`) over the layer's tar, and of `openssl sha256` over the tar and the
blob, divided by the cores.

kaniko is not among the peers: it comes as an image of a registry alone, and nothing here is fetched from one.

![How many times faster remint is than the fastest peer](docs/benchmarks.svg)
"""


def write(rows, found, took):
    """The whole page."""
    parts = [HEAD]
    lines = [line for name in rows for line in found[name]]
    missed = sum(not line.met for line in lines)
    parts.append(f"{machine()} {versions()} The whole run took {took / 60:.0f} minutes. {len(lines) - missed} of {len(lines)} bars are met.\n")
    parts.append(report.table(lines))
    for name, row in rows.items():
        parts.append(f"## {row.TITLE}\n\n`tests/bench/run {name}`, against {row.AGAINST}.\n\n{' '.join(row.REST.split())}\n")
    return "\n".join(parts)


def bars(found):
    """What the chart shows: the lines that are about being faster than somebody."""
    lines = [line for lines in found.values() for line in lines]
    return [(line.work, line.peer, line.theirs.wall / line.ours.wall, line.bar.times) for line in lines if line.bar.times]


def machine():
    """What was measured on."""
    model = next(line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    flags = Path("/proc/cpuinfo").read_text()
    sha = " with SHA extensions" if " sha_ni" in flags else ""
    return f"Measured on {time.strftime('%Y-%m-%d')}: {limit.CORES} cores of {model}{sha}."


def versions():
    """Whom it was measured against."""
    return "Peers: " + ", ".join(f"{name} {version}" for name, version in peers.versions().items()) + "."


def clear(work):
    """Removes what was made, mounts first."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((m for m in mounts if m.startswith(f"{work}/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False)
    shutil.rmtree(work, ignore_errors=True)
