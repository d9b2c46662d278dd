"""The record of components: well formed, sourced, and images told from neighbours of a similar name."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eks6check
from eks6check.facts.versions import NEWEST, path, version
from eks6check.knowledge import data
from eks6check.knowledge.components import Component, component, components

TABLE = data("components")
ROWS: list[dict[str, Any]] = TABLE["components"]

each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])

OWNED = {"external-dns", "aws-load-balancer-controller", "amazon-k8s-cni", "k8s-dns-node-cache", "coredns"}
OWNED |= {"linkerd", "fluent-bit", "aws-for-fluent-bit"}
"""Programs whose releases other rules judge: DNS005, LBC002, CNI002, MSH003, IDN003."""


def test_the_file_fits_its_schema() -> None:
    schema = json.loads((Path(eks6check.__file__).parent / "schemas" / "components.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(TABLE)] == []


def test_rows_and_sources_are_sorted_and_each_source_is_used() -> None:
    names = [row["name"] for row in ROWS]
    assert names == sorted(set(names), key=str.casefold)
    assert list(TABLE["sources"]) == sorted(TABLE["sources"])
    assert {source for row in ROWS for source in row["sources"]} == TABLE["sources"].keys()


def test_no_image_is_of_two_components_and_none_has_a_rule_of_its_own() -> None:
    images = [image for row in ROWS for image in row["images"]]
    assert len(images) == len(set(images)) == len(components())
    assert not {part for image in images for part in image.split("/")} & OWNED


@each_row
def test_a_source_names_the_release(row: dict[str, Any]) -> None:
    major, minor, patch = row["since"].split(".")
    shown = rf"{major}\.{minor}\.{patch}\b" + (rf"|{major}\.{minor}\b(?!\.)|\bv{major}\b" if patch == "0" else "")
    sources = [TABLE["sources"][source] for source in row["sources"]]
    assert any(re.search(shown, f"{source['url']} {source['says']}") for source in sources)


@each_row
def test_the_first_release_works_and_the_one_before_does_not(row: dict[str, Any]) -> None:
    first = version(row["since"])
    assert first
    for image in row["images"]:
        known = component(f"registry.example:5000/cache/{image}")
        assert known
        assert known.name == row["name"]
        assert not known.fails_in(f"{image}:{row['since']}")
        assert not known.fails_in(f"{image}:v{first[0] + 1}.0.0-rc1")
        before = (first[0], first[1] - 1) if first[1] else (first[0] - 1, 9)
        assert known.fails_in(f"{image}:v{before[0]}.{before[1]}.7")


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("spark:3.3.0", "Spark"),
        ("docker.io/spark:3.3.0", "Spark"),
        ("docker.io/library/spark:3.3.0", "Spark"),
        ("apache/spark:3.3.0", "Spark"),
        ("public.ecr.aws/docker/library/spark:3.3.0", "Spark"),
        ("111122223333.dkr.ecr.eu-west-1.amazonaws.com/quay/keycloak/keycloak:21.1", "Keycloak"),
        ("bitnami/keycloak:21.1.2-debian-11-r9", "Keycloak"),
        ("longhornio/longhorn-manager:v1.9.0", "Longhorn"),
        ("rancher/mirrored-longhornio-longhorn-manager:v1.9.0", "Longhorn"),
        ("ghcr.io/nginxinc/nginx-gateway-fabric:1.3.0", "NGINX Gateway Fabric"),
        ("ghcr.io/nginxinc/nginx-gateway-fabric/nginx:1.3.0", "NGINX Gateway Fabric"),
        ("pingcap/tidb:v6.5.0", "TiDB"),
        ("pingcap/tidb-operator:v1.4.3", "TiDB Operator"),
    ],
)
def test_an_image_is_known_by_the_end_of_its_path(image: str, name: str) -> None:
    known = component(image)
    assert known
    assert known.name == name


@pytest.mark.parametrize(
    "image",
    [
        "",
        ":",
        "keycloak",
        "example.com/login/keycloak:1.4.2",
        "example.com/keycloak-config-cli:5.0.0",
        "adorsys/keycloak-config-cli:5.0.0",
        "registry.k8s.io/spark:1.5.2_v1",
        "apache/spark-kubernetes-operator:0.1.0",
        "bitnami/nginx-ingress-controller:1.0.0",
        "registry.k8s.io/ingress-nginx/controller:v1.0.5",
        "strimzi/kafka:0.30.0-kafka-3.2.0",
        "grafana/loki-canary:2.8.0",
        "grafana/promtail:2.8.0",
        "envoyproxy/envoy:v1.20.0",
        "example.com/gateway:v1.0.0",
        "falcosecurity/falcosidekick:2.28.0",
        "n8nio/runners:1.0.0",
        "pingcap/tidb-monitor-initializer:v6.1.0",
        "ghcr.io/windmill-labs/windmill-lsp:1.500.0",
    ],
)
def test_another_image_of_a_similar_name_is_nobodys(image: str) -> None:
    assert component(image) is None


KEYCLOAK = Component("Keycloak", "22.0.0", "it does not listen", ())


VERSIONLESS = ["", ":latest", ":nightly", ":21", ":1", ":sha-21.1.2", ":release-21.1.2", ":stable-21.1.2", "@sha256:0a"]
NOT_EARLIER = [":22.0", ":22.0.0-0", ":v22.0.1", ":22.0.0-debian-11-r4", ":26.0.7"]
OF_ANOTHER_KIND = [":21.1.2.1", ":0.0.0-dev", ":v0.0.0-latest"]


@pytest.mark.parametrize("label", [*VERSIONLESS, *NOT_EARLIER, *OF_ANOTHER_KIND])
def test_a_tag_without_an_earlier_version_says_nothing(label: str) -> None:
    assert not KEYCLOAK.fails_in(f"quay.io/keycloak/keycloak{label}")


@pytest.mark.parametrize(
    "label", ["21.1.2", "v21.1", "21.1.2-debian-11-r9", "0.1.0", "21.1.2@sha256:0a", "21.99_custom"]
)
def test_an_earlier_version_is_told_whatever_stands_behind_it(label: str) -> None:
    assert KEYCLOAK.fails_in(f"quay.io/keycloak/keycloak:{label}")


@given(st.text(max_size=30))
def test_a_tag_never_raises_and_fails_only_with_a_version_below(label: str) -> None:
    image = f"quay.io/keycloak/keycloak:{label}"
    component(label), component(image)
    if KEYCLOAK.fails_in(image):
        found = version(label.partition("@")[0], NEWEST)
        assert found
        assert found < (22, 0, 0)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], False),
        (["MODE=worker"], True),
        (["MODE=server"], False),
        (["OLD_MODE=worker"], False),
        (["MODE=worker", "--listen=::"], False),
    ],
)
def test_patterns_narrow_what_an_earlier_release_does(words: list[str], told: bool) -> None:  # noqa: FBT001  a table's column
    narrowed = KEYCLOAK._replace(only_with="^MODE=worker$", mended_by="^--listen=")
    assert narrowed.is_told(words) is told
    assert KEYCLOAK.is_told(words)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("quay.io/keycloak/keycloak:21.1", "quay.io/keycloak/keycloak"),
        ("registry.example:5000/keycloak", "registry.example:5000/keycloak"),
        ("registry.example:5000/keycloak:21.1@sha256:0a", "registry.example:5000/keycloak"),
        ("keycloak@sha256:0a", "keycloak"),
        ("keycloak", "keycloak"),
        ("", ""),
    ],
)
def test_a_path_is_an_image_without_tag_and_digest(image: str, expected: str) -> None:
    assert path(image) == expected
