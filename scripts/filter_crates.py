"""The crates that are linked into the filter, for the SBOM and the dependency check."""

import json
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = "lychgate-envoy"
TARGET = "wasm32-wasip1"
LINE = re.compile(r"^(\d+)(\S+) v(\S+)")


def linked():
    """{(name, version): set of (name, version) that it uses}, without build-time crates."""
    tree = cargo(
        "tree", "--locked", "--package", PACKAGE, "--target", TARGET,
        "--edges", "normal,no-proc-macro", "--prefix", "depth", "--no-dedupe",
    )
    crates, path = {}, []
    for line in tree.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        depth, crate = int(match.group(1)), (match.group(2), match.group(3))
        crates.setdefault(crate, set())
        del path[depth:]
        if path:
            crates[path[-1]].add(crate)
        path.append(crate)
    return crates


def packages():
    """{(name, version): package} of the whole workspace, as `cargo metadata` gives them."""
    metadata = json.loads(cargo("metadata", "--format-version", "1", "--locked"))
    return {(p["name"], p["version"]): p for p in metadata["packages"]}


def checksums():
    """{(name, version): SHA-256 of the crate file} from Cargo.lock."""
    found = {}
    for block in (ROOT / "Cargo.lock").read_text().split("[[package]]")[1:]:
        fields = dict(re.findall(r'^(name|version|checksum) = "([^"]*)"', block, re.M))
        if "checksum" in fields:
            found[(fields["name"], fields["version"])] = fields["checksum"]
    return found


def cargo(*arguments):
    run = subprocess.run(["cargo", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return run.stdout
