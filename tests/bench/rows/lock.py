"""A lock of 500 packages, with the lists of the archive local."""

import re

from archive import SUITES
from measure import output, run, side_by_side
from project import Project
from report import Line, at_most

TITLE = "A lock of 500 packages, lists local"
AGAINST = "`apt-get --simulate --no-install-recommends install` of the same names over the same lists, its binary cache of them made before"
REST = """
With `--index-only`, since apt's simulation fetches no packages either. Parsing the lists, verifying their digests and signatures, and choosing. apt's time is
without verification and with its binary cache of the lists made before; it simulates the order of unpacking and configuring too.
"""

NAMES = [
    "apache2", "build-essential", "cmake", "default-jdk-headless", "emacs-nox", "ffmpeg", "git", "gnome-calculator", "jq", "less", "nano", "nginx",
    "nodejs", "php", "postgresql", "ruby", "strace", "tree", "vim",
]


def measure(bench):
    listed = ", ".join(f'"{name}"' for name in NAMES)
    project = Project(bench, "lock", {"many": f"[[layer]]\npackages = [{listed}]\n"})
    project.lock()
    count = len(project.debs)
    environment = {"REMINT_DEBIAN_MIRROR": bench.archive.lists}
    apt = private_apt(bench)
    simulate = ["apt-get", "--simulate", "--no-install-recommends", "install", *NAMES]
    simulated = output(simulate, env=apt).count("\nInst ")
    lock = project.dir / "remint.lock"
    costs = side_by_side(
        {
            "remint": (lambda: lock.unlink(missing_ok=True), lambda: run(project.command("lock", "--index-only"), env=environment)),
            "apt": (lambda: None, lambda: run(simulate, env=apt), 3),
        },
        7,
    )
    if simulated != count:
        raise SystemExit(f"apt chooses {simulated} packages and remint {count}")
    return [Line(f"a lock of {count} packages", costs["remint"], "apt", costs["apt"], at_most(0.5))]


def private_apt(bench):
    """An apt with lists of its own, which nothing of this machine's packages reaches; its environment."""
    root = bench.work / "apt"
    for folder in ("etc/apt.conf.d", "etc/sources.list.d", "etc/preferences.d", "state/lists/partial", "cache/archives/partial"):
        (root / folder).mkdir(parents=True)
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    lines = [f"deb [signed-by={keyring}] {bench.archive.lists} {suite} main\n" for suite in SUITES]
    (root / "etc/sources.list").write_text("".join(lines))
    (root / "status").write_text("")
    (root / "apt.conf").write_text(
        f'Dir::State "{root}/state"; Dir::Etc "{root}/etc"; Dir::Etc::parts "{root}/etc/apt.conf.d"; Dir::Cache "{root}/cache";\n'
        f'Dir::State::status "{root}/status"; APT::Architecture "amd64"; APT::Architectures {{ "amd64"; }};\n'
        'Acquire::Languages "none"; Acquire::GzipIndexes "false"; Debug::NoLocking "true"; APT::Sandbox::User "";\n'
    )
    environment = {"APT_CONFIG": str(root / "apt.conf"), "LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    bench.quietly(["apt-get", "update"], env=environment)
    return environment
