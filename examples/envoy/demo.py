#!/usr/bin/env python3
"""Sends requests through a real Envoy with the Lychgate filter and shows what is answered.

Everything secret is made on the spot in a temporary folder and goes away at the end. Exit code 1
if any answer differs from what the table expects. `--keep` leaves the folder and says where it is.
"""

import argparse
import pathlib
import shutil
import sys
import tempfile
import time
import uuid

from lab import artefacts, client, example, table, upstream
from lab.cases import GROUPS, PLAINTEXT
from lab.credentials import Credentials
from lab.proxy import WORKLOADS, Proxy

READY_SECONDS = 15


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
    print(f"\n{total} requests, {total - wrong} as expected, {wrong} not")
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
        credentials.compile(workload.namespace, workload.app, module, f"{workload.app}.json")
    table.progress("checking examples/envoy/envoy.yaml")
    if problem := example.check(folder):
        sys.exit(f"demo: examples/envoy/envoy.yaml is out of date: {problem}")
    table.progress(f"starting Envoy ({artefacts.envoy().name}) with {len(WORKLOADS)} workloads, each with mTLS and in plaintext")
    key_servers = {
        "auth-service": upstream.key_server(credentials.key_set("auth-service")),
        "sso-provider": upstream.key_server(credentials.key_set("sso")),
    }
    with Proxy(folder, upstream.application(), key_servers) as proxy:
        wait_for_keys(proxy, credentials)
        return show(proxy, credentials)


def wait_for_keys(proxy, credentials):
    """Until the filter has fetched the issuers' keys it answers 503."""
    deadline = time.monotonic() + READY_SECONDS
    groups = [(app, make(credentials)[:2]) for _, app, make in GROUPS if app != "payment-service"]
    waiting = [(app, case) for app, cases in groups for case in cases if case.status == 200]
    while waiting:
        app, case = waiting[0]
        if send(proxy, app, case, str(uuid.uuid4())).status == 503 and time.monotonic() < deadline:
            time.sleep(0.1)
        else:
            waiting.pop(0)


def show(proxy, credentials):
    wrong = number = 0
    for title, app, make in GROUPS:
        table.heading(title)
        for case in make(credentials):
            number += 1
            request_id = str(uuid.uuid4())
            answer = send(proxy, app, case, request_id)
            record = proxy.audit(request_id) if answer.status else None
            problems = compare(case, answer, record)
            wrong += bool(problems)
            table.row(number, cells(case, answer, record), not problems)
            for problem in problems:
                table.note(problem)
    return wrong, number


def send(proxy, app, case, request_id):
    secure = case.peer != PLAINTEXT
    tls = client.context(proxy.folder, case.peer) if secure else None
    return client.send(proxy.ports[app, secure], case.head(request_id), tls=tls)


def cells(case, answer, record):
    asked = f"{case.method} {case.path}", case.peer or "no certificate", case.carries
    if answer.status is None:
        return *asked, "deny", "-", "refused by TLS"
    record = record or {}
    return *asked, record.get("verdict", "?"), str(answer.status), record.get("reason", "no audit record")


def compare(case, answer, record):
    """What differs from what was expected; empty if nothing does."""
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
    for name, expected in case.upstream.items():
        found = [value for header, value in received if header == name]
        if found != ([] if expected is None else [expected]):
            problems.append(f"the application received {name}: {found}, expected {expected}")
    return problems


def ending():
    return f"""
What to do next:
  your own Envoy   {relative(artefacts.HERE / 'envoy.yaml')} is a complete configuration with comments;
                   the filter is {relative(artefacts.filter_module())}
  a bundle         {relative(artefacts.command())} compile POLICIES --namespace NS --label app=NAME -o bundle.json
                   (--as envoy writes the filter's entry, --as wasmplugin a resource for Istio)
  Istio            examples/istio has a WasmPlugin and a TrafficExtension
  a Rust service   examples/rust-tower, the same engine without a proxy
  documentation    docs/envoy.md, docs/settings.md, docs/reasons.md"""


def relative(path):
    try:
        return path.relative_to(artefacts.ROOT)
    except ValueError:
        return path


if __name__ == "__main__":
    main()
