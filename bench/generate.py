#!/usr/bin/env python3
"""Writes a `git fast-import` stream of a made-up project to standard output; the same arguments give the same stream.

usage: generate.py COMMITS [FILES]   |  git fast-import
"""

import random
import sys

WORDS = (
    "lease berth tide gauge sluice wheel ledger buffer cursor window parser socket reader writer index shard "
    "cache token scope group branch merge queue worker signal timer quota limit fence anchor beacon channel"
).split()
PEOPLE = [
    ("Ada Vale", "ada@example.org"),
    ("Bo Lind", "bo@example.org"),
    ("Cara Mor", "cara@example.org"),
    ("Dev Anand", "dev@example.org"),
    ("Eik Storm", "eik@example.org"),
]
KINDS = [(".rs", "//"), (".py", "#"), (".js", "//"), (".md", ""), (".toml", "#"), (".css", "/*")]
START = 1_400_000_000


def paths(rng, count):
    """File names in a tree like that of a real project: many folders, a few files in each."""
    made = ["README.md", "LICENSE", "Makefile", ".gitignore"]
    while len(made) < count:
        depth = rng.choice([1, 2, 2, 3, 3, 4])
        folders = [rng.choice(WORDS) for _ in range(depth)]
        extension, _ = rng.choice(KINDS)
        made.append("/".join(["src", *folders, f"{rng.choice(WORDS)}_{len(made)}{extension}"]))
    return made


def line(rng, number):
    """One line of something that looks like code."""
    a, b, c = (rng.choice(WORDS) for _ in range(3))
    return f"let {a}_{number} = {b}.{c}({rng.randrange(10_000)}); // {rng.choice(WORDS)} of the {a}"


def main():
    """Writes the stream."""
    commits = int(sys.argv[1])
    rng = random.Random(7)
    names = paths(rng, int(sys.argv[2]) if len(sys.argv) > 2 else max(50, min(3000, commits // 16)))
    contents = {}
    write = sys.stdout.buffer.write

    def data(text):
        raw = text.encode()
        write(b"data %d\n%s\n" % (len(raw), raw))

    def change(name):
        lines = contents.get(name)
        if lines is None:
            contents[name] = lines = [line(rng, n) for n in range(rng.randrange(10, 160))]
            if name == "README.md":
                lines[:] = ["# Made up", "", "A project that nobody wrote, to measure with.", "", "```rust", *lines, "```"]
        else:
            at = rng.randrange(len(lines))
            lines[at : at + rng.randrange(1, 3)] = [line(rng, rng.randrange(1000)) for _ in range(rng.randrange(1, 5))]
        write(b"M 100644 inline %s\n" % name.encode())
        data("\n".join(lines) + "\n")

    previous = None
    for number in range(1, commits + 1):
        author, mail = rng.choice(PEOPLE)
        when = START + number * 5400
        write(b"commit refs/heads/main\nmark :%d\n" % number)
        who = f"{author} <{mail}> {when} +0100\n".encode()
        write(b"author " + who + b"committer " + who)
        subject = f"{rng.choice(WORDS)}: {rng.choice(WORDS)} the {rng.choice(WORDS)} {rng.choice(WORDS)}"
        data(f"{subject}\n\nNumber {number} of {commits}.\n")
        if previous:
            write(b"from :%d\n" % previous)
        # Every seventeenth commit is a merge of an older one.
        if number % 17 == 0 and number > 40:
            write(b"merge :%d\n" % (number - rng.randrange(2, 30)))
        if number == 1:
            for name in names[:40]:
                change(name)
        else:
            # Some files are changed often and most of them seldom.
            chosen = {int(len(names) * rng.random() ** 3) for _ in range(rng.choice([1, 1, 2, 3]))}
            for at in sorted(chosen):
                change(names[at])
        if number % 2500 == 0:
            write(b"reset refs/tags/v%d\nfrom :%d\n" % (number // 2500, number))
        if number % 1000 == 0:
            write(b"reset refs/heads/topic/%d\nfrom :%d\n" % (number // 1000, number - 5))
        previous = number
    write(b"done\n")


main()
