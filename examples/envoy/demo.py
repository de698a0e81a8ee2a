#!/usr/bin/env python3
"""Sends the same requests to a real Envoy, a real workerd and servers in Node, with the same policies,
and shows what each answers.

Everything secret is made on the spot in a temporary folder and goes away at the end. Exit code 1
if any answer differs from what the table expects. `--keep` leaves the folder and says where it is.
"""

import argparse
import contextlib
import pathlib
import shutil
import sys
import tempfile
import time
import uuid

from lab import artefacts, example, javascript, table, upstream
from lab.cases import GROUPS
from lab.credentials import Credentials
from lab.host import WORKLOADS
from lab.proxy import Proxy
from lab.service import Service
from lab.worker import Worker

READY_SECONDS = 15
OF_EACH_REQUEST = ("time", "correlation_id")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="keep keys, bundles and logs")
    keep = parser.parse_args().keep
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lychgate-demo-"))
    try:
        wrong, total = demonstrate(folder)
    finally:
        if keep:
            table.progress(f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{total} requests to each host, {total - wrong} answered as expected, {wrong} not")
    if wrong == 0:
        print(ending())
    sys.exit(1 if wrong else 0)


def demonstrate(folder):
    module = artefacts.filter_module()
    table.progress("making keys, tokens and SPIFFE certificates")
    credentials = Credentials(folder)
    credentials.make()
    table.progress("compiling the policies of examples/envoy/policies")
    for workload in WORKLOADS:
        credentials.compile(workload.namespace, workload.app, f"{workload.app}.json", "--as", "envoy", "--module", module)
        credentials.compile(workload.namespace, workload.app, f"{workload.app}.bundle.json")
    table.progress("checking examples/envoy/envoy.yaml")
    if problem := example.check(folder):
        sys.exit(f"demo: examples/envoy/envoy.yaml is out of date: {problem}")
    table.progress("packing and unpacking the npm package")
    javascript.install(folder)
    key_servers = {
        "auth-service": upstream.key_server(credentials.key_set("auth-service")),
        "sso-provider": upstream.key_server(credentials.key_set("sso")),
    }
    with contextlib.ExitStack() as stack:
        hosts = [Proxy(folder, upstream.application(), key_servers), Worker(folder, key_servers), Service(folder, key_servers)]
        for host in hosts:
            table.progress(f"starting {host.name} with {len(WORKLOADS)} workloads, each with mTLS and in plaintext")
            stack.enter_context(host)
            wait_for_keys(host, credentials)
        return show(hosts, credentials)


def wait_for_keys(host, credentials):
    """Until a host has fetched the issuers' keys it answers 503."""
    deadline = time.monotonic() + READY_SECONDS
    groups = [(app, make(credentials)[:2]) for _, app, make in GROUPS if app != "payment-service"]
    waiting = [(app, case) for app, cases in groups for case in cases if case.status == 200]
    while waiting:
        app, case = waiting[0]
        if host.send(app, case, str(uuid.uuid4())).status == 503 and time.monotonic() < deadline:
            time.sleep(0.1)
        else:
            waiting.pop(0)


def show(hosts, credentials):
    wrong = number = 0
    otherwise = {}
    for title, app, make in GROUPS:
        table.heading(title, [host.name for host in hosts])
        for case in make(credentials):
            number += 1
            answers = [ask(host, app, case) for host in hosts]
            problems = [
                f"{host.name}: {problem}"
                for host, (answer, record) in zip(hosts, answers)
                for problem in compare(host, case, answer, record)
            ]
            problems += differences(case, [(host, record) for host, (_, record) in zip(hosts, answers)])
            wrong += bool(problems)
            statuses = [status(host, case, answer) for host, (answer, _) in zip(hosts, answers)]
            table.row(number, cells(case, *answers[0]), statuses, not problems)
            for problem in problems:
                table.note(problem)
            for host in hosts:
                if way := host.way(case):
                    otherwise.setdefault((host.name, way), []).append(number)
    table.footnotes(otherwise)
    return wrong, number


def status(host, case, answer):
    """What stands in a host's column, and whether the request passed."""
    return f"{answer.status or '-'}{'*' if host.way(case) else ''}", answer.status == 200


def ask(host, app, case):
    request_id = str(uuid.uuid4())
    answer = host.send(app, case, request_id)
    return answer, host.audit(request_id) if answer.status else None


def cells(case, answer, record):
    """What was asked, and what the first host, Envoy, says of it."""
    asked = f"{case.method} {case.path}", case.peer or "no certificate", case.carries
    if answer.status is None:
        return *asked, "deny", "refused by TLS"
    record = record or {}
    return *asked, record.get("verdict", "?"), record.get("reason", "no audit record")


def compare(host, case, answer, record):
    """What differs from what was expected; empty if nothing does."""
    case = host.adapted(case)
    if answer.status != case.status:
        return [f"status {answer.status}, expected {case.status} ({case.reason})"]
    if answer.status is None:
        return []
    if record is None:
        return ["no audit record"]
    problems = []
    if record["reason"] != case.reason:
        problems.append(f"reason {record['reason']}, expected {case.reason}")
    if (record["verdict"] == "allow") != (case.status == 200):
        problems.append(f"verdict {record['verdict']} with status {answer.status}")
    received = answer.upstream_headers()
    for name, value in host.received(case).items():
        found = [other for header, other in received if header == name]
        if found != ([] if value is None else [value]):
            problems.append(f"the application received {name}: {found}, expected {value}")
    return problems


def differences(case, records):
    """What else differs in the audit records of hosts that do the same with a case: nothing may."""
    firsts = {}
    return [
        f"{host.name}: {key} {record.get(key)}, in {first.name} {theirs.get(key)}"
        for host, record in records
        if record is not None
        for first, theirs in [firsts.setdefault(host.way(case), (host, record))]
        for key in sorted(theirs.keys() | record.keys())
        if key not in OF_EACH_REQUEST and record.get(key) != theirs.get(key)
    ]


def ending():
    return f"""
What to do next:
  your own Envoy   {relative(artefacts.HERE / 'envoy.yaml')} is a complete configuration with comments;
                   the filter is {relative(artefacts.filter_module())}
  a bundle         {relative(artefacts.command())} compile POLICIES --namespace NS --label app=NAME -o bundle.json
                   (--as envoy writes the filter's entry, --as wasmplugin a resource for Istio)
  Istio            examples/istio has a WasmPlugin and a TrafficExtension
  a Worker         examples/cloudflare-worker, and examples/hono
  a Node service   examples/node-express, and examples/node-fastify
  a Rust service   examples/rust-tower, the same engine without a proxy
  documentation    docs/envoy.md, docs/settings.md, docs/reasons.md"""


def relative(path):
    try:
        return path.relative_to(artefacts.ROOT)
    except ValueError:
        return path


if __name__ == "__main__":
    main()
