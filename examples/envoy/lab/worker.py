"""Workers in workerd, behind a server that stands in for Cloudflare's edge."""

import json
import subprocess

from . import artefacts
from .host import WORKLOADS, Host

# What makes an edge and what runs behind it.
SCRIPTS = ("edge.mjs", "gated.mjs")


class Worker(Host):
    """One Worker for each workload. The edge terminates TLS, checks certificates without refusing
    them, and tells the Worker, as Cloudflare's does."""

    name = "workerd"

    def __init__(self, folder, key_servers):
        super().__init__(folder)
        self.key_servers = key_servers

    def expected(self, case):
        return case.unverified or super().expected(case)

    def command(self):
        project = self.folder / "worker"
        project.mkdir()
        self.install(project)
        configuration = {
            "workloads": [self.workload(workload.app) for workload in WORKLOADS],
            "tls": {name: str(self.folder / file) for name, file in (("key", "server.key"), ("cert", "server.pem"), ("ca", "mesh-ca.pem"))},
            # By the hosts of the policies' addresses.
            "keyServers": {"auth-service.internal": self.key_servers["auth-service"], "sso-provider.corp": self.key_servers["sso-provider"]},
        }
        path = project / "configuration.json"
        path.write_text(json.dumps(configuration))
        return ["node", project / "edge.mjs", path]

    def workload(self, app):
        bundle = (self.folder / f"{app}.bundle.json").read_text()
        return {"name": app, "bundle": bundle, "secure": self.ports[app, True], "plain": self.ports[app, False]}

    def install(self, project):
        """The packed npm package and the tools, in a project of their own; then the bundled Worker."""
        modules = project / "node_modules"
        package = modules / "lychgate"
        package.mkdir(parents=True)
        self.do("npm", "pack", "--silent", "--pack-destination", project, cwd=artefacts.javascript())
        tarball = next(project.glob("*.tgz"))
        self.do("tar", "-xzf", tarball, "--strip-components=1", "-C", package, cwd=project)
        for name in ("miniflare", "wrangler"):
            (modules / name).symlink_to(artefacts.node_tools() / name)
        for script in SCRIPTS:
            (project / script).write_bytes((artefacts.HERE / "lab" / script).read_bytes())
        self.do(
            "node", modules / "wrangler/bin/wrangler.js", "deploy", "gated.mjs", "--dry-run", "--outdir", "built",
            "--name", "gated", "--compatibility-date", "2026-04-01", cwd=project,
        )

    @staticmethod
    def do(*command, cwd):
        environment = artefacts.quiet_environment(cwd)
        result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=environment)
        if result.returncode != 0:
            raise SystemExit(f"demo: {command[0]} failed:\n{result.stdout}{result.stderr}")
