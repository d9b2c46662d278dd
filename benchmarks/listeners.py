"""What each form of telling a program where to listen really opens: measured, for knowledge/listeners_measured.json.

    sudo python benchmarks/listeners.py [PROGRAM ...]

Every start has a network namespace of its own, with the addresses of a pod in an IPv6 EKS cluster, and is asked for
connections on each of them: see opened.py. What is started, and out of which packages, stands in listeners.yaml. They
are installed once, into a Debian system in the cache folder, 2 GB; nothing is installed on this one. Needs root, Go and
mmdebstrap. The starts take some minutes. With names of programs, only their results are made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
RESULT = HERE.parent / "eks6check/knowledge/listeners_measured.json"
CACHE = Path(os.environ.get("EKS6CHECK_TOOLS") or Path.home() / ".cache/eks6check")
SUITE = "bookworm"
SOURCES = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d/debian.sources"))
"""Where this machine's own packages come from."""

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
NAMESPACE = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
PORT = 8765
TOGETHER = 8
"""Starts at a time: most of them only wait."""

LISTEN = """
package main

import (
	"log"
	"net"
	"os"
)

func main() {
	listener, err := net.Listen(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	for {
		listener.Accept()
	}
}
"""


def main() -> None:
    """Start every form of the chosen programs, and write what they opened."""
    todo = yaml.safe_load((HERE / "listeners.yaml").read_text(encoding="utf-8"))
    chosen = set(sys.argv[1:])
    if unknown := chosen - {each["program"] for each in todo["programs"]}:
        sys.exit(f"not in listeners.yaml: {', '.join(sorted(unknown))}")
    before = json.loads(RESULT.read_text(encoding="utf-8"))["programs"] if chosen else []
    wanted = [each for each in todo["programs"] if not chosen or each["program"] in chosen]
    root = system(todo["root"])
    with ThreadPoolExecutor(TOGETHER) as pool:
        made = {each["program"]: each for each in (*before, *results(root, wanted, pool))}
    write([made[each["program"]] for each in todo["programs"]])


def system(wanted: Mapping[str, list[str]]) -> Path:
    """The folder with a Debian system that has all packages, made if it is not there."""
    key = hashlib.sha256(json.dumps([wanted, LISTEN]).encode()).hexdigest()[:16]
    root = CACHE / f"listeners-{key}"
    if not root.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="staging.", dir=CACHE) as staging:
            made = Path(staging) / "root"
            install(made, wanted)
            made.rename(root)
    return root


def install(root: Path, wanted: Mapping[str, list[str]]) -> None:
    """Make a Debian system with packages of Debian, PyPI, npm and Go, and a listener in Go."""
    packages = f"--include={','.join(wanted['debian'])}"
    sources = [str(path) for path in SOURCES if path.exists()]
    run("mmdebstrap", "--quiet", "--variant=minbase", packages, SUITE, str(root), *sources)
    shutil.copy("/etc/resolv.conf", root / "etc")
    shutil.copy(CERTIFICATES, root / "etc/ssl/certs")
    inside = ["chroot", str(root), "env", "PATH=/opt/python/bin:/usr/bin:/bin", f"NODE_EXTRA_CA_CERTS={CERTIFICATES}"]
    run(*inside, "python3", "-m", "venv", "/opt/python")
    run(*inside, "pip", "install", "--quiet", "--disable-pip-version-check", *wanted["pypi"])
    run(*inside, "npm", "install", "--silent", "--prefix", "/opt/node", *wanted["npm"])
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "listen.go"
        source.write_text(LISTEN, encoding="utf-8")
        run("env", "CGO_ENABLED=0", "go", "build", "-o", str(root / "opt/go/listen"), str(source))
    run("env", "CGO_ENABLED=0", f"GOBIN={root}/opt/go", "go", "install", *wanted["go"])


def run(*command: str, given: str = "") -> str:
    """What a command says, with a text as its standard input.

    Raises:
        CalledProcessError: it fails.
    """
    return subprocess.run(command, check=True, input=given, stdout=subprocess.PIPE, text=True).stdout


def results(root: Path, programs: Iterable[Mapping[str, Any]], pool: Executor) -> Iterator[dict[str, Any]]:
    """Each program with the version that was started and what each of its forms opened, printed as it comes."""
    started = [(each, [pool.submit(opened, root, start) for start in starts(each["ways"])]) for each in programs]
    for each, futures in started:
        forms = [future.result() for future in futures]
        for form in forms:
            said = form.get("opens") or form["error"].splitlines()[-1][:100]
            print(f"{each['program']:<24} {form['form']:<48} {said}", flush=True)
        told = {"program": each["program"], "package": each["package"], "version": version(root, each["package"])}
        yield {**told, "forms": forms}


def version(root: Path, package: str) -> str:
    """The version of a package, as its home tells it; of our own listener, that of Go."""
    home, _, name = package.partition(" ")
    inside = ("chroot", str(root))
    if home == "debian":
        return run(*inside, "dpkg-query", "--show", "--showformat=${Version}", name)
    if home == "pypi":
        program = f"import importlib.metadata; print(importlib.metadata.version({name!r}), end='')"
        return run(*inside, "/opt/python/bin/python", "-c", program)
    if home == "npm":
        manifest = root / f"opt/node/node_modules/{name}/package.json"
        return str(json.loads(manifest.read_text(encoding="utf-8"))["version"])
    built = run("go", "version", "-m", str(root / "opt/go" / name))
    release = re.search(r"\tmod\t\S+\tv(\S+)", built) or re.search(r" go(\S+)", built)
    return release[1] if release else ""


def starts(ways: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """What to start for each form, with form and port in their places. A form may have a name besides its text."""
    for way in ways:
        port = way.get("port", PORT)
        for form in way["forms"]:
            name, text = next(iter(form.items())) if isinstance(form, dict) else (form, form)
            files = {file: rendered(content, text, port) for file, content in way.get("files", {}).items()}
            yield {"form": name, "port": port, "command": rendered(way["start"].strip(), text, port), "files": files}


def rendered(template: str, form: str, port: int) -> str:
    """A text with form and port in it."""
    return template.replace("{form}", form).replace("{port}", str(port))


def opened(root: Path, start: Mapping[str, Any]) -> dict[str, Any]:
    """A start with what it opened, or with its error."""
    shown = run(*NAMESPACE, sys.executable, str(HERE / "opened.py"), str(root), given=json.dumps(start))
    return {**start, **json.loads(shown)}


def write(programs: Iterable[Mapping[str, Any]]) -> None:
    """Write the result file, one line a form."""
    parts = []
    for each in programs:
        told = json.dumps({key: value for key, value in each.items() if key != "forms"})
        forms = ",\n".join(f"  {json.dumps(form, ensure_ascii=False)}" for form in each["forms"])
        parts.append(f'{told[:-1]}, "forms": [\n{forms}\n]}}')
    head = {
        "measured": time.strftime("%Y-%m-%d", time.gmtime()),
        "kernel": os.uname().release,
        "bindv6only": int(Path("/proc/sys/net/ipv6/bindv6only").read_text(encoding="ascii")),
    }
    body = ",\n".join(parts)
    RESULT.write_text(f'{json.dumps(head)[:-1]}, "programs": [\n{body}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
