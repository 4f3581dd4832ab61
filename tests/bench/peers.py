"""What remint is measured against: container builders of Debian, and a base image for them."""

import os
import shutil
import subprocess
import time
from functools import cached_property

import measure

PACKAGES = ("binutils", "buildah", "debian-archive-keyring", "debootstrap", "docker-registry", "docker.io", "dpkg-dev", "mmdebstrap", "openssl", "runc", "skopeo", "xz-utils", "zstd")


def install():
    """Installs those that are missing, without starting their services."""
    def installed(name):
        found = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", name], capture_output=True, text=True)
        return found.stdout == "installed"

    missing = [name for name in PACKAGES if not installed(name)]
    if missing:
        policy = "/usr/sbin/policy-rc.d"
        made = not os.path.exists(policy)
        if made:
            with open(policy, "w") as out:
                out.write("#!/bin/sh\nexit 101\n")
            os.chmod(policy, 0o755)
        try:
            subprocess.run(["apt-get", "-qq", "update"], check=True)
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(["apt-get", "-qq", "-y", "--no-install-recommends", "install", *missing], check=True, env=environment)
        finally:
            if made:
                os.unlink(policy)


def versions():
    """The peers and their versions."""
    found = measure.output(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", "mmdebstrap", "debootstrap", "docker.io", "buildah", "apt", "dpkg", "docker-registry", "skopeo"])
    return dict(line.split() for line in found.splitlines())


class Peers:
    """Builders with storage of their own, started when they are first needed."""

    def __init__(self, bench):
        self.bench = bench
        self.dir = bench.work / "peers"
        self.daemon = None

    def stop(self):
        """Ends the daemon and what it mounted."""
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait()

    @cached_property
    def rootfs(self):
        """Minimal Debian as a tar."""
        self.dir.mkdir(parents=True, exist_ok=True)
        tar = self.dir / "rootfs.tar"
        self.bench.minimal.fetch()
        self.mmdebstrap(tar)
        return tar

    def mmdebstrap(self, tar):
        """Makes minimal Debian out of the local archive."""
        return measure.run(["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "trixie", tar, self.bench.archive.source])

    def debootstrap(self, folder):
        """Makes minimal Debian in a folder out of the local archive: it writes no tar."""
        mirror = f"{self.bench.archive.address}/flat"
        return measure.run(["debootstrap", "--variant=minbase", "--no-check-gpg", "trixie", folder, mirror])

    @cached_property
    def builders(self):
        """By name: what builds a folder with a Dockerfile, and what makes it forget what it built."""
        self._start_docker()
        self._start_buildah()
        docker = lambda buildkit: (
            lambda folder, name: ([*self.docker, "build", "--quiet", "--network", "host", "--tag", name, folder], {"DOCKER_BUILDKIT": buildkit})
        )
        options = ["--quiet", "--isolation", "chroot", "--layers", "--network", "host"]
        buildah = lambda folder, name: ([*self.buildah, "build", *options, "--tag", name, folder], {})
        return {"BuildKit": docker("1"), "docker": docker("0"), "buildah": buildah}

    @property
    def docker(self):
        """A command line of docker's."""
        return ["/usr/bin/docker", "--host", f"unix://{self.dir}/docker.sock"]

    @property
    def buildah(self):
        """A command line of buildah's."""
        return ["buildah", "--root", str(self.dir / "buildah"), "--runroot", str(self.dir / "buildah-run"), "--storage-driver", "overlay"]

    def build(self, peer, folder, name="localhost/built"):
        """Builds a folder and says what it cost; of a daemon's work only the wall clock tells."""
        line, env = self.builders[peer](folder, name)
        cost = measure.run(line, env=env)
        return cost if peer == "buildah" else measure.Cost(cost.wall, 0, 0)

    def forget(self, peer, names=("localhost/built",)):
        """Empties what a peer keeps of images that it built, so that the next build of them is cold."""
        if peer == "buildah":
            subprocess.run([*self.buildah, "rmi", "--force", *names], capture_output=True)
            left = measure.output([*self.buildah, "images", "--quiet", "--all", "--filter", "dangling=true"]).split()
            if left:
                subprocess.run([*self.buildah, "rmi", "--force", *left], capture_output=True)
        else:
            subprocess.run([*self.docker, "rmi", "--force", *names], capture_output=True)
            self.bench.quietly([*self.docker, "image", "prune", "--force"])
            self.bench.quietly([*self.docker, "builder", "prune", "--all", "--force"])

    def _start_docker(self):
        rootfs = self.rootfs
        config = self.dir / "daemon.json"
        config.write_text("{}")
        socket = self.dir / "docker.sock"
        with open(self.dir / "docker.log", "wb") as log:
            self.daemon = subprocess.Popen(
                ["/usr/sbin/dockerd", "--config-file", config, "--host", f"unix://{socket}", "--storage-driver", "overlay2",
                 "--data-root", self.dir / "docker", "--exec-root", self.dir / "docker-exec", "--pidfile", self.dir / "docker.pid",
                 "--bridge", "none", "--iptables=false", "--ip6tables=false"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )
        for _ in range(300):
            if subprocess.run([*self.docker, "version"], capture_output=True).returncode == 0:
                break
            time.sleep(0.2)
        else:
            raise SystemExit(f"dockerd did not start: {self.dir}/docker.log")
        self.bench.quietly([*self.docker, "import", rootfs, "localhost/minimal"])

    def _start_buildah(self):
        # It imports no tar, but builds from one.
        folder = self.dir / "minimal"
        folder.mkdir()
        os.link(self.rootfs, folder / "rootfs.tar")
        (folder / "Dockerfile").write_text("FROM scratch\nADD rootfs.tar /\n")
        self.bench.quietly([*self.buildah, "build", "--quiet", "--isolation", "chroot", "--tag", "localhost/minimal", folder])
        shutil.rmtree(folder)
