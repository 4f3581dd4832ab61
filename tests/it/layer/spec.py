"""Format 1's tar and runs, written from docs/format-1.md alone: a second implementation that judges the first.

Reads a JSON document with `fragments` (lists of entries) and `files` (paths and sizes) from standard input; writes one with the
fragments' digests and the runs' lengths.
"""

import hashlib
import json
import sys

FLAGS = {"file": b"0", "hardlink": b"1", "symlink": b"2", "char": b"3", "block": b"4", "directory": b"5", "fifo": b"6"}


def octal(value, size):
    return b"%0*o\0" % (size - 1, value)


def squeeze(text, size):
    return bytes(byte if byte < 128 else ord("_") for byte in text[:size])


def ustar(name, prefix, mode, uid, gid, size, mtime, flag, link, major, minor):
    def fill(text, field):
        assert len(text) <= field
        return text + b"\0" * (field - len(text))

    def block(checksum):
        return fill(
            fill(name, 100) + octal(mode, 8) + octal(uid, 8) + octal(gid, 8) + octal(size, 12) + octal(mtime, 12) + checksum
            + flag + fill(link, 100) + b"ustar\0" + b"00" + b"\0" * 64 + octal(major, 8) + octal(minor, 8) + fill(prefix, 155),
            512,
        )

    return block(b"%06o\0 " % sum(block(b" " * 8)))


def padded(content):
    return content + b"\0" * (-len(content) % 512)


def pax_record(key, value):
    length = len(key) + len(value) + 3
    while len(str(length)) + len(key) + len(value) + 3 != length:
        length += 1
    return b"%d %s=%s\n" % (length, key, value)


def split(path):
    if any(byte > 127 for byte in path):
        return None
    if len(path) <= 100:
        return b"", path
    for at in range(len(path)):
        if path[at] == ord("/") and len(path) - at - 1 <= 100:
            prefix, name = path[:at], path[at + 1 :]
            return (prefix, name) if 1 <= len(prefix) <= 155 and name else None
    return None


def record(entry):
    kind = entry["kind"]
    content = bytes.fromhex(entry["content"]) if kind == "file" else b""
    path = entry["path"].encode() + (b"/" if kind == "directory" else b"")
    link = entry["link"].encode()
    records = {b"SCHILY.xattr." + name.encode(): bytes.fromhex(value) for name, value in entry["xattrs"]}
    fields = {}
    for key, limit in ("uid", 2_097_151), ("gid", 2_097_151), ("mtime", 8_589_934_591):
        fields[key] = entry[key]
        if entry[key] > limit:
            records[key.encode()] = b"%d" % entry[key]
            fields[key] = 0
    if split(path) is None:
        records[b"path"] = path
    if len(link) > 100 or any(byte > 127 for byte in link):
        records[b"linkpath"] = link
    prefix, name = split(path) or (b"", squeeze(path, 100))
    out = b""
    if records:
        body = b"".join(pax_record(key, value) for key, value in sorted(records.items()))
        out += ustar(b"././@PaxHeader", b"", 0o644, 0, 0, len(body), 0, b"x", b"", 0, 0) + padded(body)
    out += ustar(
        name, prefix, entry["mode"], fields["uid"], fields["gid"], len(content), fields["mtime"], FLAGS[kind], squeeze(link, 100),
        entry["major"], entry["minor"],
    )
    return out + padded(content)


def fragment(entries):
    return b"".join(record(entry) for entry in sorted(entries, key=lambda entry: entry["path"].encode()))


REACH, LARGE, HEAVIEST = 786_432, 1_048_576, 4_194_304


def cut(stretch):
    """The runs of a stretch of (weight, hash), by the letter of the rule and not by speed."""
    before = [0]
    for weight, _ in stretch:
        before.append(before[-1] + weight)
    end = len(stretch)

    def inside(at, start, stop):
        return before[at] - before[start] >= REACH and before[stop] - before[at] >= REACH

    def lowest(at):
        for step in -1, 1:
            other = at + step
            while 0 <= other < end and abs(before[other] - before[at]) < REACH:
                if (stretch[other][1], other) < (stretch[at][1], at):
                    return False
                other += step
        return True

    def lighten(start, stop):
        if before[stop] - before[start] <= HEAVIEST:
            return [stop - start]
        at = min((at for at in range(start, stop) if inside(at, start, stop)), key=lambda at: (stretch[at][1], at))
        return lighten(start, at) + lighten(at, stop)

    cuts = [0] + [at for at in range(end) if inside(at, 0, end) and lowest(at)] + [end]
    return [length for start, stop in zip(cuts, cuts[1:]) for length in lighten(start, stop)]


def runs(files):
    lengths, stretch = [], []
    for path, size in sorted(files, key=lambda file: file[0].encode()):
        weight = size + 1024
        if weight >= LARGE:
            lengths += cut(stretch) if stretch else []
            lengths.append(1)
            stretch = []
        else:
            stretch.append((weight, hashlib.sha256(b"remint run 1\0" + path.encode()).digest()[:8]))
    return lengths + (cut(stretch) if stretch else [])


document = json.load(sys.stdin)
json.dump(
    {
        "fragments": [hashlib.sha256(fragment(entries)).hexdigest() for entries in document["fragments"]],
        "runs": runs(document["files"]),
    },
    sys.stdout,
)
