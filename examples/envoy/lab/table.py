"""An aligned table, with colour where a person looks at it."""

import os
import sys

# After these, one for each host.
COLUMNS = [("request", 34), ("from", 16), ("with", 28), ("verdict", 7), ("reason", 19)]
HOST_WIDTH = 7
CODES = {"green": "32", "red": "31", "dim": "2", "bold": "1"}


def colour(text, name):
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return text
    return f"\033[{CODES[name]}m{text}\033[0m"


def heading(title, hosts):
    names = [name.ljust(width) for name, width in COLUMNS] + [name.ljust(HOST_WIDTH) for name in hosts]
    print(f"\n{colour(title, 'bold')}")
    print(colour("    " + "  ".join(names).rstrip(), "dim"))


def row(number, cells, statuses, good):
    """`statuses` has one text for each host, and whether it is that of a request that passed."""
    padded = [fit(text, width) for text, (_, width) in zip(cells, COLUMNS)]
    padded[3] = colour(padded[3], "green" if cells[3] == "allow" else "red")
    padded += [colour(fit(text, HOST_WIDTH), "green" if passed else "red") for text, passed in statuses]
    mark = colour("ok", "green") if good else colour("WRONG", "red")
    print(f"{number:>2}  {'  '.join(padded)}  {mark}", flush=True)


def note(text):
    print(f"    {colour(text, 'red')}", flush=True)


def footnotes(otherwise):
    """What a star in a column means: numbers of rows by host and what the host does otherwise."""
    print(f"\n * {sum(map(len, otherwise.values()))} answers are others than Envoy's, as expected, because of what the host itself does:")
    for (host, way), numbers in otherwise.items():
        rows = f"row{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
        print(colour(f"   {host}, {rows}: {way}", "dim"))


def fit(text, width):
    return text.ljust(width) if len(text) <= width else text[: width - 1] + "~"


def progress(text):
    print(f"demo: {text}", flush=True)
