"""Runs commands and says what they cost: wall clock, CPU time, peak memory."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from statistics import median


# How often anything is measured at most; `--quick` makes it once.
MOST_ROUNDS = 100


# How long the machine is looked at, in seconds, and how often, before something is measured.
REST = 0.2
MOST_RESTS = 25


class Failed(Exception):
    """A command that was measured ended badly."""


@dataclass(frozen=True)
class Cost:
    """What a run cost: seconds of the wall clock, seconds of user and system time with its children, peak memory in MiB."""

    wall: float
    cpu: float
    memory: float


def run(command, *, cwd=None, env=None, stdin=None):
    """Runs a command (a list, or a line for bash) once. What it says is shown only if it fails."""
    argv = ["bash", "-euo", "pipefail", "-c", command] if isinstance(command, str) else [str(word) for word in command]
    with open(os.path.join(os.environ["TMPDIR"], "said"), "w+b") as said:
        begun = time.monotonic()
        child = subprocess.Popen(
            argv, cwd=cwd, env=environment(env), stdin=stdin or subprocess.DEVNULL, stdout=said, stderr=said
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            said.seek(0)
            sys.stderr.buffer.write(said.read()[-20000:])
            raise Failed(f"`{' '.join(argv)}` ended with {child.returncode}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def output(command, env=None, **options):
    """Runs a command that is not measured and gives what it says on standard output."""
    argv = [str(word) for word in command]
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, env=environment(env), **options).stdout


def environment(more):
    """This process's environment and more."""
    return {**os.environ, **(more or {})}


def middle(costs):
    """The median of each figure by itself."""
    return Cost(*(median(getattr(cost, name) for cost in costs) for name in ("wall", "cpu", "memory")))


def plus(one, other):
    """Two costs one after the other."""
    return Cost(one.wall + other.wall, one.cpu + other.cpu, max(one.memory, other.memory))


def busy():
    """The seconds that the cores have worked since the start of the machine, all together (proc(5), /proc/stat)."""
    with open("/proc/stat") as stat:
        user, nice, system, _idle, _iowait, interrupts, soft = map(int, stat.readline().split()[1:8])
    return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")


def rest():
    """Waits until the machine does next to nothing, at most some seconds: what a daemon does behind an answer is nobody else's cost."""
    for _ in range(MOST_RESTS):
        before = busy()
        time.sleep(REST)
        if busy() - before <= REST / 10:
            return


def side_by_side(works, rounds):
    """Runs works in turn, so that a noisy moment is everybody's, and gives the median cost of each by its name.

    `works`: by name a pair (prepare, work): what is not measured, and what gives a `Cost`. A name may ask for fewer rounds than
    there are with a third part.
    """
    costs = {name: [] for name in works}
    for turn in range(min(rounds, MOST_ROUNDS)):
        for name, (prepare, work, *most) in works.items():
            if most and turn >= most[0]:
                continue
            prepare()
            rest()
            costs[name].append(work())
    return {name: middle(found) for name, found in costs.items()}
