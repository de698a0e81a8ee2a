"""What the demo drives: built artefacts, found or complained about."""

import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
POLICIES = HERE / "policies"
SETTINGS = HERE / "settings.yaml"


def target():
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")


def command():
    """The `lychgate` binary: the newest of the profiles that were built."""
    built = [target() / profile / "lychgate" for profile in ("debug", "release")]
    built = [path for path in built if path.is_file()]
    if not built:
        missing("the lychgate command", "cargo build --package lychgate")
    return max(built, key=lambda path: path.stat().st_mtime)


def filter_module():
    """The filter as it ships."""
    path = target() / "wasm32-wasip1/release/lychgate_envoy.wasm"
    if not path.is_file():
        missing("the filter", "make build")
    return path


def envoy():
    """Envoy: $ENVOY, the one that `make setup` installed, or the one on the path."""
    tools = ROOT / ".tools"
    places = [os.environ.get("ENVOY"), tools / "bin/envoy", *tools.glob("venv/lib/python*/site-packages/envoy/_bin/envoy")]
    for place in places:
        if place and os.access(place, os.X_OK):
            return pathlib.Path(place)
    found = shutil.which("envoy")
    if not found:
        missing("Envoy", "make setup")
    return pathlib.Path(found)


def javascript():
    """The folder of the npm package, built."""
    if not (ROOT / "js/dist/wasm").is_dir():
        missing("the npm package", "make build-js")
    return ROOT / "js"


def node_tools():
    """Where npm has put miniflare and wrangler."""
    path = ROOT / "tests/workers/node_modules"
    if not (path / "miniflare").is_dir():
        missing("miniflare", "make setup")
    return path


def quiet_environment(folder):
    """For wrangler, which else would ask and tell."""
    return os.environ | {"CI": "1", "WRANGLER_SEND_METRICS": "false", "WRANGLER_LOG_PATH": str(pathlib.Path(folder) / "logs")}


def missing(what, remedy):
    sys.exit(f"demo: {what} is not there; run: {remedy}")
