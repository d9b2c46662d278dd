"""nginx: an IPv6 address beside each IPv4 one, in each server block."""

from __future__ import annotations

from typing import Any

import build
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks6check.facts.nginx import parse, servers
from eks6check.findings import Severity


def config(text: str, key: str = "site.conf") -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": "conf", "namespace": "shop"}, "data": {key: text}}


def listened(text: str) -> list[list[str]]:
    return [finding.evidence["all"] for finding in build.judge("APP002", config_maps=[config(text)]).findings]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("server { listen 80; }", ["listen 80;"]),
        ("server { listen *:80; listen 0.0.0.0:443 ssl; }", ["listen *:80;", "listen 0.0.0.0:443 ssl;"]),
        ("server {\n listen 80;\n listen [::]:81;\n}", ["listen 80;"]),
        ("http { server { listen ${PORT} default_server; } }", ["listen ${PORT} default_server;"]),
        ("stream { server { listen 5432; proxy_pass db; } }", ["listen 5432;"]),
        ("server { listen 80; listen [::1]:80; }", ["listen 80;"]),
        ("server { listen 80; # listen [::]:80;\n }", ["listen 80;"]),
        ("server { location / { return 200 '}'; } listen 80; }", ["listen 80;"]),
        ("server { location / { root /srv; } }", ["server {"]),
        ("server { listen 80; } server { listen 80; listen [::]:80; }", ["listen 80;"]),
        ("server { listen *; }", ["listen *;"]),
        (
            "server { listen 80 default_server reuseport; listen [::]:443 ssl; }",
            ["listen 80 default_server reuseport;"],
        ),
        ("server { listen 443 ssl; listen 443 quic; listen [::]:443 ssl; }", []),
        ("server { listen 53 udp; listen 53; listen [::]:53 udp; }", ["listen 53;"]),
        ("server {\n # listen [::]:80;\n listen 80;\n}", ["listen 80;"]),
        ("server { listen 80", []),
    ],
)
def test_each_ipv4_wildcard_wants_a_twin_in_its_own_block(text: str, lines: list[str]) -> None:
    assert listened(text) == ([lines] if lines else [])


@pytest.mark.parametrize(
    "text",
    [
        "server { listen 80; listen [::]:80; }",
        "server { listen [::]:80 ipv6only=off; }",
        "server { listen [::]:80; }",
        "server { listen 80 ssl; listen [::]:80 ssl; listen 127.0.0.1:81; }",
        "server { listen unix:/run/nginx.sock; }",
        "server { listen unix:/run/nginx.sock; location / { return 200; } }",
        "server { listen [::]; listen *; }",
        "server { listen [::]; listen 80; }",
        "server { listen; location / { return 200; } }",
        "server { listen 10.0.0.1:80; }",
        "http { include /etc/nginx/conf.d/*.conf; }",
        "stream { server { listen 53 udp; listen [::]:53 udp; } }",
        "server { location / { proxy_pass http://x; } listen 127.0.0.1:80; listen [::1]:80; }",
        "server { listen 127.0.0.1:8080; location /status { stub_status; } }",
        "server { listen localhost:8080; }",
        "# server { listen 80; }",
        "upstream web { server web:80; }",
        "server { enabled = true }",
        'ui = true\nserver {\n  bind_addr = "0.0.0.0"\n}',
        "log_format main 'server { listen 80; }';",
        "mail { server { listen 25; } }",
        "",
    ],
)
def test_what_has_ipv6_or_is_for_the_pod_alone_or_no_nginx_is_left_alone(text: str) -> None:
    assert listened(text) == []


LISTENS = "listen 80; listen [::]:80;"
BLOCK = "server { include /etc/nginx/conf.d/listen.conf; location / { return 200; } }"


def files(**others: str) -> dict[str, Any]:
    """A ConfigMap with a site and the files beside it, each named without its ending."""
    made = config(BLOCK)
    made["data"] |= {f"{name}.conf": text for name, text in others.items()}
    return made


def test_an_included_file_of_the_same_config_map_says_where_to_listen() -> None:
    assert build.messages("APP002", config_maps=[files(listen=LISTENS)]) == []
    (finding,) = build.judge("APP002", config_maps=[files(listen="listen 80;")]).findings
    assert "has nginx `listen 80;` in listen.conf" in finding.message
    assert finding.evidence["key"] == "listen.conf"


@pytest.mark.parametrize(
    ("include", "count"),
    [
        ("conf.d/*.conf", 0),
        ("listen.*", 0),
        ('"/etc/nginx/listen.conf"', 0),
        ("other.conf", 0),
        ("mime.types", 1),
        ("/etc/nginx/empty.conf", 1),
    ],
)
def test_an_include_is_found_by_its_name_or_pattern_and_through_another(include: str, count: int) -> None:
    made = files(listen=LISTENS, other="include listen.conf; include other.conf;", empty="# nothing")
    made["data"]["site.conf"] = BLOCK.replace("/etc/nginx/conf.d/listen.conf", include)
    assert len(build.messages("APP002", config_maps=[made])) == count


@pytest.mark.parametrize("others", [{}, {"listen": "server { listen [::]:81; }"}])
def test_without_the_included_file_nothing_is_guessed_and_the_gap_names_it(others: dict[str, str]) -> None:
    outcome = build.judge("APP002", config_maps=[files(**others)])
    assert outcome.findings == ()
    (gap,) = outcome.gaps
    assert "not in view: include /etc/nginx/conf.d/listen.conf" in gap.reason
    assert "Look in that file" in gap.remedy


@pytest.mark.parametrize(
    ("include", "severity"), [("listen6.conf", Severity.WARNING), ("mime.types", Severity.BLOCKER)]
)
def test_beside_a_file_that_nobody_sees_a_line_without_its_twin_is_no_blocker(include: str, severity: Severity) -> None:
    text = f"server {{ listen 80; include {include}; }}"
    outcome = build.judge("APP002", config_maps=[config(text)], workloads=[workload(**probed(80))])
    assert [finding.severity for finding in outcome.findings] == [severity]
    assert outcome.gaps == ()
    whole = build.judge("APP002", config_maps=[config(text.replace("80;", "80; listen [::]:80;"))])
    assert (whole.findings, whole.gaps) == ((), ())


def workload(**container: Any) -> dict[str, Any]:
    body = {"name": "web", "volumeMounts": [{"name": "conf", "mountPath": "/etc/nginx"}], **container}
    spec = {"containers": [body], "volumes": [{"name": "conf", "configMap": {"name": "conf"}}]}
    metadata = {"name": "web", "namespace": "shop"}
    return {"kind": "Deployment", "metadata": metadata, "spec": {"template": {"spec": spec}}}


def probed(port: int) -> dict[str, Any]:
    return {"livenessProbe": {"httpGet": {"port": port}}}


@pytest.mark.parametrize(
    ("text", "container", "severity"),
    [
        ("server { listen 80; }", probed(80), Severity.BLOCKER),
        ("server { listen 80; }", probed(9113), Severity.WARNING),
        ("server { listen 80; }", {**probed(80), "volumeMounts": []}, Severity.WARNING),
        (
            "server { listen 80; }",
            {**probed(80), "volumeMounts": [], "args": ["--configmap=$(NS)/conf"]},
            Severity.BLOCKER,
        ),
        ("server { listen 80; } server { listen [::]:80; }", probed(80), Severity.WARNING),
    ],
)
def test_a_blocker_is_asked_for_on_a_port_that_is_probed(text: str, container: Any, severity: Severity) -> None:
    judged = build.judge("APP002", config_maps=[config(text)], workloads=[workload(**container)])
    assert [finding.severity for finding in judged.findings] == [severity]


def test_the_message_has_the_missing_line_with_its_options() -> None:
    (message,) = build.messages("APP002", config_maps=[config("server { listen 443 ssl ipv6only=on http2; }")])
    assert "`listen [::]:443 ssl http2;`" in message


def test_each_file_is_a_finding_of_its_own() -> None:
    body = config("server { listen 80; }")
    body["data"]["other.conf"] = "server { listen 81; }"
    assert len(build.judge("APP002", config_maps=[body]).findings) == 2


@given(st.text(alphabet="server listn{};#'\"\\$0[:]\n") | st.text())
def test_no_text_raises(text: str) -> None:
    parse(text)
    servers("server {" + text)


@given(st.lists(st.sampled_from(["include *;", "include a;", "listen 80;", "server {}", "}"]), max_size=6))
def test_files_that_include_one_another_are_read_once(lines: list[str]) -> None:
    body = config("server { include ?; location / {} }")
    body["data"] |= {name: " ".join(lines) for name in "abcdef"}
    assert len(build.judge("APP002", config_maps=[body]).findings) <= 1


SCRIPT = """cat > /etc/nginx/conf.d/default.conf <<EOF
server {
  listen 8080;LISTEN
  root /usr/share/nginx/html;
}
EOF
exec nginx -g 'daemon off;'
"""


@pytest.mark.parametrize(
    "script", [SCRIPT, "echo 'server { listen 8080;LISTEN }' > /etc/nginx/conf.d/a.conf; exec nginx"]
)
def test_a_configuration_that_a_script_writes_is_read(script: str) -> None:
    for twin, count in ((" ", 1), (" listen [::]:8080;", 0)):
        args, probe = ["-c", script.replace("LISTEN", twin)], {"httpGet": {"port": 8080}}
        container = {"name": "web", "args": args, "readinessProbe": probe}
        body = {"kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [container]}}
        found = build.judge("APP002", config_maps=[], workloads=[body]).findings
        assert [finding.severity for finding in found] == [Severity.BLOCKER] * count
        assert all("in args of container web" in finding.message for finding in found)


def test_a_server_that_listens_by_default_needs_both_lines_since_the_first_ends_the_default() -> None:
    (found,) = build.judge("APP002", config_maps=[config("server { location / { return 200; } }")]).findings
    assert found.evidence["twin"] == "listen 80; listen [::]:80;"
