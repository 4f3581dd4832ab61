"""A project of remint's, with its lock, its packages and its store."""

import json
import os
import re
import shutil
from functools import cached_property
from pathlib import Path

import measure

PACKAGE = re.compile(r'^    "(\S+) (\S+) (\S+) \S+ \d+ ([0-9a-f]{64}) \S+/(\S+)",?$', re.M)
PLATFORM = 'platforms = ["linux/amd64"]\n'


class Project:
    """Recipes of which all is local: the packages that they are made of are in the archive, and can be put into its store.

    `name` is its folder on the tmpfs, or a path of its own anywhere.
    """

    def __init__(self, bench, name, recipes):
        self.bench = bench
        self.dir = bench.work / name
        self.store = self.dir / "store"
        for image, text in recipes.items():
            self.recipe(image, text)

    def recipe(self, image, text):
        """Writes a recipe."""
        folder = self.folder(image)
        folder.mkdir(parents=True, exist_ok=True)
        if "platforms" not in text:
            text = PLATFORM + text
        (folder / "recipe.toml").write_text(text)

    def folder(self, image):
        """Where a recipe and what it copies stand."""
        return self.dir / "recipes" / image

    def lock(self):
        """Locks the recipes to the lists of this run."""
        self.bench.quietly(self.command("lock"), env={"REMINT_DEBIAN_MIRROR": self.bench.archive.lists})

    def fetch(self):
        """Locks the recipes, brings their packages to this machine, and into the archive for peers."""
        self.lock()
        fetched = self.bench.work / "fetched"
        self.bench.quietly(self.command("build", "--platform", "linux/amd64", store=fetched))
        self.bench.archive.add([(fetched / "blobs/sha256" / digest, name) for digest, name in self.debs])

    @property
    def debs(self):
        """Digest and name of each package that is locked for this machine."""
        found = PACKAGE.findall((self.dir / "remint.lock").read_text())
        return [(digest, name) for _, _, arch, digest, name in found if arch in ("amd64", "all")]

    def empty(self):
        """Makes a store that has nothing but the packages, as if they had just been fetched."""
        self.remove_store()
        self.add_packages()

    def add_packages(self):
        """Puts the locked packages into the store that are not in it."""
        blobs = self.store / "blobs/sha256"
        blobs.mkdir(parents=True, exist_ok=True)
        for digest, name in self.debs:
            if not (blobs / digest).exists():
                os.link(self.bench.archive.dir / "flat" / name, blobs / digest)

    def remove_store(self):
        """Removes the store."""
        shutil.rmtree(self.store, ignore_errors=True)

    def keep(self):
        """Remembers the store as it is."""
        shutil.rmtree(self.kept, ignore_errors=True)
        self._link(self.store, self.kept)

    def restore(self):
        """Makes the store what it was when it was remembered."""
        self.remove_store()
        self._link(self.kept, self.store)

    @cached_property
    def kept(self):
        """Where a store is remembered. Its files are shared: whoever writes to a store replaces files."""
        return self.dir / "kept"

    @staticmethod
    def _link(source, target):
        shutil.copytree(source, target, copy_function=os.link)

    def command(self, *words, store=None):
        """A command line of remint's for this project."""
        return [self.bench.remint, "--quiet", "-C", self.dir, "--cache-dir", store or self.store, *words]

    def build(self, *words):
        """Builds without the network and says what it cost."""
        return measure.run(self.command("build", "--offline", "--platform", "linux/amd64", *words))

    def layer(self, image, number=-1):
        """The blob of one of an image's layers, by default its last."""
        layout = Layout(self.store)
        return layout.blob(layout.manifest(image)["layers"][number]["digest"])


class Layout:
    """An OCI image layout, as far as it matters here."""

    def __init__(self, path):
        self.path = Path(path)

    def blob(self, digest):
        """The file of a blob."""
        return self.path / "blobs" / digest.replace(":", "/")

    def manifest(self, image):
        """An image's manifest for its only platform."""
        named = {
            entry["annotations"]["org.opencontainers.image.ref.name"]: entry
            for entry in json.loads((self.path / "index.json").read_text())["manifests"]
        }
        found = json.loads(self.blob(named[image]["digest"]).read_text())
        while "manifests" in found:
            found = json.loads(self.blob(found["manifests"][0]["digest"]).read_text())
        return found
