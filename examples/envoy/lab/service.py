"""Services in Node, each with the gate in its own process."""

from .cases import RAW_PATH, UNVERIFIED
from .javascript import JavaScript


class Service(JavaScript):
    """One server of node:https and one of node:http for each workload. Node asks for certificates
    without refusing them, and the middleware believes what `socket.authorized` says."""

    name = "Node"
    ways = (UNVERIFIED, RAW_PATH)
    scripts = ("service.mjs",)
