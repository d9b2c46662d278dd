"""What a program opens in a network namespace of its own, which has the addresses of a pod in an IPv6 EKS cluster.

    unshare --net --mount --pid --fork --kill-child --mount-proc python benchmarks/opened.py ROOT <START >OPENED

ROOT is a folder with a Debian system. What the program writes there is gone when it ends. START and OPENED are JSON.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

IPV4 = "169.254.172.2"
"""What the VPC CNI gives such a pod for IPv4 egress. Nobody connects to it, but it tells a wildcard from loopback."""

IPV6 = "2001:db8::10"
"""The pod's one real address."""

HOSTS = f"127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{IPV6} web\n"
"""As kubelet writes it."""

NETWORK = f"""
link set lo up
link add eth0 type veth peer name host
link set host up
link set eth0 up
address add {IPV4}/22 dev eth0
address add {IPV6}/128 dev eth0 nodad
route add default via fe80::1 dev eth0
"""

OPENS = {(True, True): "both", (True, False): "ipv4", (False, True): "ipv6", (False, False): "loopback"}
"""By what takes connections: the address of IPv4, that of IPv6."""

LISTENING = "0A"
PATIENCE_SECONDS = 90
QUIET_SECONDS = 6
"""nginx and gunicorn try for up to 5 seconds to open a second socket before they give up with the first one open."""

POLL_SECONDS = 0.05
FOLDER = "/measured"
PATH = "/opt/python/bin:/opt/node/node_modules/.bin:/opt/go:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


def main() -> None:
    """Start what standard input tells, and write what it opened."""
    start = json.load(sys.stdin)
    subprocess.run(["ip", "-batch", "-"], input=NETWORK, text=True, check=True)
    json.dump(measured(chroot(Path(sys.argv[1])), start), sys.stdout)


def run(*command: str) -> None:
    """Run a command of the system.

    Raises:
        CalledProcessError: it fails.
    """
    subprocess.run(command, check=True)


def chroot(system: Path) -> Path:
    """The system under a layer in memory, so that each start finds it untouched."""
    layer = Path("/mnt")
    run("mount", "-t", "tmpfs", "tmpfs", str(layer))
    for name in ("upper", "work", "root"):
        (layer / name).mkdir()
    root = layer / "root"
    layers = f"lowerdir={system},upperdir={layer}/upper,workdir={layer}/work"
    run("mount", "-t", "overlay", "overlay", "-o", layers, str(root))
    run("mount", "-t", "proc", "proc", str(root / "proc"))
    run("mount", "--rbind", "/dev", str(root / "dev"))
    (root / "etc/hosts").write_text(HOSTS, encoding="utf-8")
    return root


def measured(root: Path, start: Mapping[str, Any]) -> dict[str, Any]:
    """What a start opens and the sockets that do it, or the last that it said if it opens nothing."""
    folder = root / FOLDER[1:]
    folder.mkdir()
    for name, content in start["files"].items():
        (folder / name).write_text(content, encoding="utf-8")
    log = root / "tmp/log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            ["chroot", str(root), "env", "-C", FOLDER, "sh", "-fc", start["command"]],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", "HOSTNAME": "web"},
        )
        sockets = settled(start["port"], process)
    if not sockets:
        said = log.read_text(encoding="utf-8", errors="replace").strip()
        return {"error": "\n".join(said.splitlines()[-3:]) or f"nothing after {PATIENCE_SECONDS} s"}
    reached = [address for address in ("127.0.0.1", IPV4, "::1", IPV6) if connects(address, start["port"])]
    return {"opens": OPENS[IPV4 in reached, IPV6 in reached], "reached": reached, "sockets": sorted(sockets)}


def settled(port: int, process: subprocess.Popen[bytes]) -> set[str]:
    """The addresses that listen on a port once they have not changed for a while; empty if none ever does."""
    started = changed = time.monotonic()
    before: set[str] = set()
    while True:
        now = set(listening(port))
        moment = time.monotonic()
        if now != before:
            before, changed = now, moment
        over = moment - started > PATIENCE_SECONDS or process.poll() is not None
        if (now or over) and moment - changed > QUIET_SECONDS:
            return now
        time.sleep(POLL_SECONDS)


def listening(port: int) -> Iterator[str]:
    """The local addresses of this namespace's sockets that listen on a port."""
    for family, table in ((socket.AF_INET, "tcp"), (socket.AF_INET6, "tcp6")):
        for row in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            _, local, _, state, *_ = row.split()
            address, _, number = local.partition(":")
            if state == LISTENING and int(number, 16) == port:
                yield socket.inet_ntop(family, words(address))


def words(address: str) -> bytes:
    """The bytes of an address as the kernel prints it: 32 bits at a time, in the order of this machine."""
    return b"".join(int(address[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(address), 8))


def connects(address: str, port: int) -> bool:
    """Whether a connection to the address is taken."""
    try:
        socket.create_connection((address, port), timeout=5).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
