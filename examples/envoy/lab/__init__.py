"""The parts of the demo: credentials, upstream, proxy, client, requests, table."""
