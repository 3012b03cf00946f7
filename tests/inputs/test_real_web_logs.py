"""The logs of Apache, nginx and HAProxy, as these programs write them of clients with IPv4 and IPv6."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Geocli, need

pytestmark = pytest.mark.slow

CLIENTS = [
    "2a02:8109:9a00:1234:5678:9abc:def0:1234",
    "80.94.95.113",
    "2a02:8109::5",
    "2a02:8109:0:1::99",
    "1.2.3.4",
]
APACHE = """
ServerRoot {place}
PidFile {place}/pid
ServerName localhost
Listen [::]:8080
Listen 0.0.0.0:8080
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LogFormat "%h %l %u %t \\"%r\\" %>s %b \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\"" combined
LogFormat "%h:%{{remote}}p %t \\"%r\\" %>s" ports
CustomLog {place}/access.log combined
CustomLog {place}/ports.log ports
ErrorLog {place}/error.log
LogLevel info
DocumentRoot {place}
<Location "/">
Require all denied
</Location>
"""
NGINX = """
daemon off;
master_process off;
pid {place}/pid;
error_log {place}/error.log;
events {{}}
http {{
    log_format ports '[$remote_addr]:$remote_port "$request"';
    log_format bare '$remote_addr:$remote_port "$request"';
    access_log {place}/access.log;
    access_log {place}/ports.log ports;
    access_log {place}/bare.log bare;
    client_body_temp_path {place}/b; proxy_temp_path {place}/p; fastcgi_temp_path {place}/f;
    uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
    server {{ listen 8080; listen [::]:8080; root {place}; location / {{ deny all; }} }}
}}
"""
HAPROXY = """
global
    log stdout format raw local0
defaults
    mode http
    log global
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend web
    bind 0.0.0.0:8080
    bind [::]:8080 v6only
    {option}
    http-request deny if TRUE
"""
ASK = """
import socket, sys, time
for client in sys.argv[1:]:
    version, server = (socket.AF_INET6, "::1") if ":" in client else (socket.AF_INET, "127.0.0.1")
    for _ in range(100):
        with socket.socket(version) as connection:
            connection.bind((client, 0))
            try:
                connection.connect((server, 8080))
            except ConnectionRefusedError:  # the server is not there yet
                time.sleep(0.1)
                continue
            connection.settimeout(10)
            agent = b"User-Agent: Mozilla/5.0 (X11; rv:109.0) Gecko/20100101 Chrome/119.0.0.0"
            connection.sendall(b"GET /x HTTP/1.0\\r\\nHost: a\\r\\n" + agent + b"\\r\\n\\r\\n")
            while connection.recv(4096):
                pass
            break
    else:
        sys.exit("no server")
"""


def serve(place: Path, server: list[str]) -> str:
    """Have all clients ask a server, one after the other; return what the server printed."""
    if os.geteuid() != 0:
        pytest.skip("only root may have a network of its own")
    script = "ip link set lo up\n"
    script += "".join(
        f"ip addr add {client}/{128 if ':' in client else 32} dev lo {'nodad' * (':' in client)}\n"
        for client in CLIENTS
    )
    script += '"${@:3}" > printed 2>&1 &\nserver=$!\n"$1" -c "$2" ' + " ".join(CLIENTS)
    script += "\nkill $server; wait $server || true"
    subprocess.run(
        [need("unshare"), "-n", "bash", "-ec", script, "bash", sys.executable, ASK, *server],
        cwd=place, check=True, timeout=60,
    )  # fmt: skip
    return (place / "printed").read_text()


def check(geocli: Geocli, log: Path, servers: int = 0) -> None:
    """Have all that read text read a log: each client once, and in some logs the server behind it."""
    expected = sorted((client, *["::1" if ":" in client else "127.0.0.1"] * servers) for client in CLIENTS)
    looked_up = geocli("-f", "ip", "-i", log)
    # Threads of a server write their lines as they come to it.
    found = sorted(zip(*[iter(looked_up.stdout.split())] * (servers + 1), strict=True))
    assert found == expected, log.read_text() + looked_up.stderr
    summarized = geocli("summarize", "--by", "network", "-f", "hits", "-i", log)
    assert sum(map(int, summarized.stdout.split())) == len(expected) * (servers + 1)
    annotated = geocli("annotate", log, "--template", "<{ip}>").stdout
    for client in CLIENTS:
        assert f"<{client}>" in annotated


def test_apaches_access_and_error_logs(geocli: Geocli, tmp_path: Path) -> None:
    place = tmp_path / "apache"
    place.mkdir()
    tmp_path.chmod(0o755)
    (place / "conf").write_text(APACHE.format(place=place, modules="/usr/lib/apache2/modules"))
    apache = Path(need("apache2ctl")).with_name("apache2")
    serve(place, [str(apache), "-X", "-f", str(place / "conf")])
    denied = place / "denied.log"  # the rest of the error log tells of the server itself
    lines = (place / "error.log").read_text().splitlines(keepends=True)
    denied.write_text("".join(line for line in lines if "[client " in line))
    for log in (place / "access.log", place / "ports.log", denied):
        check(geocli, log)


def test_nginxs_access_and_error_logs(geocli: Geocli, tmp_path: Path) -> None:
    place = tmp_path / "nginx"  # some of its directory becomes another user's
    place.mkdir()
    (place / "conf").write_text(NGINX.format(place=place))
    serve(place, [need("nginx"), "-c", str(place / "conf"), "-e", str(place / "error.log")])
    denied = place / "denied.log"
    lines = (place / "error.log").read_text().splitlines(keepends=True)
    denied.write_text("".join(line for line in lines if "client: " in line))
    for log in (place / "access.log", place / "ports.log", place / "bare.log", denied):
        check(geocli, log)


@pytest.mark.parametrize(
    ("option", "servers"),
    [("option httplog", 0), ("option httplog clf", 0), ("option tcplog", 0), ("# as it is", 1)],
)
def test_haproxys_logs(geocli: Geocli, tmp_path: Path, option: str, servers: int) -> None:
    (tmp_path / "conf").write_text(HAPROXY.format(option=option))
    printed = serve(tmp_path, [need("haproxy"), "-db", "-f", str(tmp_path / "conf")])
    log = tmp_path / "haproxy.log"
    log.write_text("".join(line for line in printed.splitlines(keepends=True) if "web" in line))
    check(geocli, log, servers)
