"""No module but the transport opens a connection to a receiver, or could."""

from __future__ import annotations

import ast

import pytest

from tests.contracts.source import Source, sources

NETWORK = (
    "aiohttp", "dns", "email_validator.deliverability", "ftplib", "http.client", "httpx", "requests", "smtplib",
    "socket", "ssl", "urllib.request", "urllib3",
)  # fmt: skip
MAY = {
    "service/outbound/transport.py": "the way out",
    "service/cli/start.py": "looks whether a port is free, and sends nothing",
    "service/doctor/live.py": "asks the public address of the install itself, by a command and no other way",
    "service/spam/outside.py": "asks name servers whether a domain takes mail; only workers ask it",
}


def network(source: Source) -> list[str]:
    """Imports of what opens connections, whole or in part."""
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            found += [one.name for one in node.names]
        if isinstance(node, ast.ImportFrom) and not node.level:
            found += [f"{node.module}.{one.name}" for one in node.names]
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            found += [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return [one for one in found if any(f"{one}.".startswith(f"{name}.") for name in NETWORK)]


def test_only_the_transport_reaches_receivers() -> None:
    assert {one.path for one in sources("service", "migrations") if network(one)} == set(MAY)


@pytest.mark.parametrize(
    "line",
    [
        "import socket", "import urllib3.util", "import http.client as h", "from http import client",
        "from urllib3 import x", "from urllib import request", "from urllib.request import urlopen", "import requests",
        "import_module('socket')", "__import__('ssl')", "def f():\n    import httpx",
    ],
)  # fmt: skip
def test_a_seeded_import_is_seen(line: str) -> None:
    assert network(Source("service/webhooks/operations.py", line))


@pytest.mark.parametrize("line", ["import socketserver", "from urllib.parse import quote", "from http import cookies"])
def test_what_opens_no_connection_is_none_of_them(line: str) -> None:
    assert not network(Source("service/webhooks/operations.py", line))
