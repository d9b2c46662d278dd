"""User data in every dialect, and text that is none."""

from __future__ import annotations

import base64
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks6check.facts.user_data import MaxPods, bottlerocket_settings, cluster_cidr, max_pods, node_configs, parts

NODE_CONFIG = """\
apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  cluster: {name: shop, cidr: "fd12:3456:789a::/108"}
  kubelet:
    config: {maxPods: 110}
"""

MESSAGE = f"""\
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="//"

--//
Content-Type: text/x-shellscript; charset="us-ascii"

#!/bin/bash
echo hello
--//
Content-Type: application/node.eks.aws

{NODE_CONFIG}
--//--
"""


def test_a_mime_message_is_read_part_by_part() -> None:
    assert [part.splitlines()[0] for part in parts(MESSAGE)] == ["#!/bin/bash", "apiVersion: node.eks.aws/v1alpha1"]


def test_a_base64_part_is_decoded() -> None:
    message = (
        "Content-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: text/plain\n"
        "Content-Transfer-Encoding: base64\n\naGVsbG8=\n--B--\n"
    )
    assert list(parts(message)) == ["hello"]


def part(body: bytes) -> str:
    return (
        "Content-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: text/plain\n"
        f"Content-Transfer-Encoding: base64\n\n{base64.b64encode(body).decode()}\n--B--\n"
    )


def test_a_packed_part_is_unpacked_and_a_broken_one_is_empty() -> None:
    assert list(parts(part(gzip.compress(b"hello")))) == ["hello"]
    assert list(parts(part(b"\x1f\x8b broken"))) == [""]


def test_a_message_inside_a_message_is_read_too() -> None:
    outer = f"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=OUT\n\n--OUT\n{MESSAGE[18:]}\n--OUT--\n"
    assert cluster_cidr(outer) == "fd12:3456:789a::/108"
    assert max_pods(outer) == MaxPods(110)


def test_nodeadm_is_found_in_a_message_and_bare() -> None:
    assert len(list(node_configs(MESSAGE))) == len(list(node_configs(NODE_CONFIG))) == 1
    assert cluster_cidr(MESSAGE) == "fd12:3456:789a::/108"
    assert max_pods(MESSAGE) == MaxPods(110)


def test_a_later_node_config_wins() -> None:
    later = NODE_CONFIG.replace("110", "250").replace("fd12", "fd99")
    assert max_pods(f"{NODE_CONFIG}---\n{later}") == MaxPods(250)
    assert cluster_cidr(f"{NODE_CONFIG}---\n{later}") == "fd99:3456:789a::/108"


@pytest.mark.parametrize(
    ("user_data", "expected"),
    [
        ("/etc/eks/bootstrap.sh shop --use-max-pods false --kubelet-extra-args '--max-pods=110'", MaxPods(110)),
        ('/etc/eks/bootstrap.sh shop --kubelet-extra-args "--max-pods 250 --v=2"', MaxPods(250)),
        ("/etc/eks/bootstrap.sh shop --use-max-pods false", MaxPods(110)),
        ("/etc/eks/bootstrap.sh shop --kubelet-extra-args '--max-pods=$PODS'", MaxPods(None)),
        ("PODS=$(/etc/eks/max-pods-calculator.sh --instance-type m5.large)", MaxPods(None)),
        ("jq '.maxPods = 110' /etc/kubernetes/kubelet/kubelet-config.json", MaxPods(110)),
        ("/etc/eks/bootstrap.sh shop --use-max-pods true", None),
        ("/etc/eks/bootstrap.sh shop\n# --max-pods=110 once was here", None),
        ("[settings.kubernetes]\nmax-pods = 110\n", MaxPods(110)),
        ('[settings.kubernetes]\n"max-pods" = "110"\n', MaxPods(110)),
        ("[settings.kubernetes]\ncluster-name = 'shop'\n", None),
        ("[settings.kubernetes\nmax-pods = 110\n", MaxPods(110)),
        ("kind: NodeConfig\nspec: {kubelet: {flags: ['--max-pods=200'], config: {maxPods: 110}}}", MaxPods(200)),
        ("kind: NodeConfig\nspec: {kubelet: {maxPodsExpression: 'max_enis * 10'}}", MaxPods(None)),
        ("kind: NodeConfig\nspec: {cluster: {name: shop}}", None),
        ("kind: NodeConfig\nspec: {kubelet: [not, a, mapping]}", None),
        ("", None),
    ],
)
def test_the_maximum_of_pods(user_data: str, expected: MaxPods | None) -> None:
    assert max_pods(user_data) == expected


def test_bottlerocket_settings_are_the_table_or_nothing() -> None:
    assert bottlerocket_settings("[settings.kubernetes]\nstandalone-mode = true") == {
        "kubernetes": {"standalone-mode": True}
    }
    assert bottlerocket_settings("#!/bin/bash\n# settings") == {}
    assert bottlerocket_settings("settings = 3") == {}


@given(st.text(max_size=200))
def test_no_text_is_too_wild(user_data: str) -> None:
    for wild in (user_data, f"Content-Type: multipart/mixed\n{user_data}", f"kind: NodeConfig\n{user_data}"):
        max_pods(wild)
        cluster_cidr(wild)
        bottlerocket_settings(wild)
