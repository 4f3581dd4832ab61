"""Trees of files that are the same on every machine: some text, some that does not compress, from a counter."""

import hashlib
import os

# What programs look like to a compressor: words from a small vocabulary.
WORDS = [hashlib.sha256(b"word %d" % number).hexdigest()[: 3 + number % 9] for number in range(512)]


def content(seed, size):
    """Bytes for a file: four parts of text to one part of noise."""
    noise = hashlib.shake_256(b"noise %d" % seed).digest(size // 5)
    picks = hashlib.shake_256(b"text %d" % seed).digest(size // 2 + 2)
    words = [WORDS[picks[at] | (picks[at + 1] & 1) << 8] for at in range(0, len(picks) - 1, 2)]
    lines = [" ".join(words[at : at + 11]) for at in range(0, len(words), 11)]
    text = "\n".join(lines).encode() + b"\n"
    while len(text) < size:
        text += text
    return (text[: size - len(noise)] + noise)[:size]


def make(root, files, size, seed=0):
    """Writes a tree of so many files of about that size, 50 a folder, and gives it an age, so that stats of it are believed."""
    for number in range(files):
        folder = root / f"part{number // 1000:02}" / f"module{number // 50 % 20:02}"
        folder.mkdir(parents=True, exist_ok=True)
        each = size // 2 + (number * 2654435761 % size)
        (folder / f"file{number:05}.py").write_bytes(content(seed + number, each))
    age(root)


def age(root):
    """Makes files look old: what changed within the last two seconds could still change unseen, and is read again."""
    for folder, _, names in os.walk(root):
        for name in names:
            os.utime(os.path.join(folder, name), (1_600_000_000, 1_600_000_000))


def places(files):
    """Files from all over a tree, however few are asked for: what a change costs depends on where it is."""
    at = 0.5
    while True:
        yield files[int(at * len(files))]
        at = (at + 0.6180339887) % 1


def change(file, turn):
    """Changes one file of a tree: a line at its end."""
    with open(file, "ab") as out:
        out.write(b"changed %d\n" % turn)
