"""Workers in workerd, behind a server that stands in for Cloudflare's edge."""

from . import artefacts
from .cases import DECODED, UNVERIFIED
from .javascript import JavaScript, run


class Worker(JavaScript):
    """One Worker for each workload. The edge terminates TLS, checks certificates without refusing
    them, and tells the Worker, as Cloudflare's does."""

    name = "workerd"
    ways = (DECODED, UNVERIFIED)
    # What makes an edge and what runs behind it.
    scripts = ("edge.mjs", "gated.mjs")

    def prepare(self, project):
        """The tools, and the bundled Worker."""
        modules = project / "node_modules"
        modules.mkdir()
        for name in ("miniflare", "wrangler"):
            (modules / name).symlink_to(artefacts.node_tools() / name)
        run(
            "node", modules / "wrangler/bin/wrangler.js", "deploy", "gated.mjs", "--dry-run", "--outdir", "built",
            "--name", "gated", "--compatibility-date", "2026-04-01", cwd=project,
        )
