"""The limit of the hardware: what the unavoidable steps of a build cost with the plainest tools, spread over all cores."""

import os
import subprocess

import measure
from measure import Cost

CORES = len(os.sched_getaffinity(0))


def of(project, image, debs, codec="zstd"):
    """The CPU time of decompressing every package, of compressing the layer, of hashing its tar and its blob, over the cores."""
    work = project.bench.work
    blob = project.layer(image)
    tar, data = work / "limit.tar", work / "limit.data.xz"
    with open(tar, "wb") as out:
        subprocess.run(["zstd" if codec == "zstd" else "gzip", "-dcq", blob], check=True, stdout=out)
    with open(data, "wb") as out:
        for deb in debs:
            members = measure.output(["ar", "t", deb]).split()
            for member in members:
                if member == "data.tar.xz":
                    subprocess.run(["ar", "p", deb, member], check=True, stdout=out)
    encode = f"zstd -q -3 -c --single-thread {tar}" if codec == "zstd" else f"gzip -6 -c {tar}"
    parts = {
        "decode": measure.run(f"xz -dc {data} >/dev/null").cpu,
        "encode": measure.run(f"{encode} >/dev/null").cpu,
        "hash": measure.run(f"openssl sha256 {tar} {blob}").cpu,
    }
    tar.unlink()
    data.unlink()
    cpu = sum(parts.values())
    return Cost(cpu / CORES, cpu, 0)
