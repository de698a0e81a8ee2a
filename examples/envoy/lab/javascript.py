"""Hosts that run the npm package: from its tarball, as its users have it."""

import json
import subprocess

from . import artefacts
from .host import WORKLOADS, Host


def install(folder):
    """Unpacks the packed npm package where every script below `folder` finds it."""
    package = folder / "node_modules" / "lychgate"
    package.mkdir(parents=True)
    run("npm", "pack", "--silent", "--pack-destination", folder, cwd=artefacts.javascript())
    tarball = next(folder.glob("lychgate-*.tgz"))
    run("tar", "-xzf", tarball, "--strip-components=1", "-C", package, cwd=folder)


def run(*command, cwd):
    environment = artefacts.quiet_environment(cwd)
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=environment)
    if result.returncode != 0:
        raise SystemExit(f"demo: {command[0]} failed:\n{result.stdout}{result.stderr}")


class JavaScript(Host):
    """One process of Node that listens for all workloads. A subclass has the `scripts` of its
    project, the first of which is started with the path of the configuration."""

    scripts = ()

    def __init__(self, folder, key_servers):
        super().__init__(folder)
        self.key_servers = key_servers

    def command(self):
        project = self.folder / self.name.lower()
        project.mkdir()
        for script in self.scripts:
            (project / script).write_bytes((artefacts.HERE / "lab" / script).read_bytes())
        self.prepare(project)
        path = project / "configuration.json"
        path.write_text(json.dumps(self.configuration()))
        return ["node", project / self.scripts[0], path]

    def prepare(self, project):
        """What else a project needs."""

    def configuration(self):
        secrets = {"key": "server.key", "cert": "server.pem", "ca": "mesh-ca.pem"}
        return {
            "workloads": [self.workload(workload.app) for workload in WORKLOADS],
            "tls": {name: str(self.folder / file) for name, file in secrets.items()},
            # By the hosts of the policies' addresses.
            "keyServers": {"auth-service.internal": self.key_servers["auth-service"], "sso-provider.corp": self.key_servers["sso-provider"]},
        }

    def workload(self, app):
        bundle = (self.folder / f"{app}.bundle.json").read_text()
        return {"name": app, "bundle": bundle, "secure": self.ports[app, True], "plain": self.ports[app, False]}
