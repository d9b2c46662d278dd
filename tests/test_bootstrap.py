"""Which family user data boots a node in, and which name server it gives: in each dialect, and in text that is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks6check.facts.bootstrap import Boot, cluster_dns, ipv4_boot

CALL = "#!/bin/bash\nset -ex\n/etc/eks/bootstrap.sh shop --b64-cluster-ca $CA --apiserver-endpoint $URL"


def nodeadm(cidr: str, kubelet: str = "{}") -> str:
    return f"kind: NodeConfig\nspec: {{cluster: {{name: shop, cidr: '{cidr}'}}, kubelet: {kubelet}}}\n"


@pytest.mark.parametrize(
    ("user_data", "tool", "said"),
    [
        (CALL, "al2", "no --ip-family ipv6"),
        (f"{CALL} --ip-family ipv4", "al2", "--ip-family ipv4"),
        (f"{CALL} \\\n  --kubelet-extra-args '--node-labels=a=b' \\\n  --ip-family IPv4", "al2", "--ip-family ipv4"),
        ("/etc/eks/bootstrap.sh shop --ip-family ipv4", "al2", "--ip-family ipv4"),
        (f"{CALL} --ip-family ipv6", "al2", "without --service-ipv6-cidr, and stops"),
        (f"{CALL}\n# --ip-family ipv6 --service-ipv6-cidr fd12::/108", "al2", "no --ip-family ipv6"),
        (nodeadm("10.100.0.0/16"), "nodeadm", "which is 10.100.0.0/16"),
        (nodeadm("fd12::/108", "{flags: ['--node-ip=10.0.0.1']}"), "nodeadm", "--node-ip 10.0.0.1"),
        ("[settings.kubernetes]\ncluster-name = 'shop'\n", "bottlerocket", "cluster-dns-ip"),
    ],
)
def test_a_node_that_boots_ipv4_is_told_why(user_data: str, tool: str, said: str) -> None:
    boot = ipv4_boot(user_data)
    assert boot is not None
    assert (boot.tool, said in boot.reason) == (tool, True)
    assert boot.find in user_data


@pytest.mark.parametrize(
    "user_data",
    [
        "",
        "/etc/eks/bootstrap.sh shop",
        "/etc/eks/bootstrap.sh shop --apiserver-endpoint $URL",
        "sed -i s/a/b/ /etc/eks/bootstrap.sh",
        f"{CALL} --service-ipv6-cidr fd12::/108",
        f"{CALL} --ip-family ipv6 --service-ipv6-cidr fd12::/108",
        f"{CALL} --ip-family ipv6 --dns-cluster-ip fd12::a",
        f"{CALL} --ip-family=ipv6 --service-ipv6-cidr=fd12::/108",
        f"{CALL} --ip-family $FAMILY",
        f"{CALL} $MORE_FLAGS",
        f'{CALL} "${{ARGS}}"',
        f"if $old; then\n{CALL}\nelse\n{CALL} --service-ipv6-cidr fd12::/108\nfi",
        nodeadm("fd12::/108"),
        nodeadm("${SERVICE_CIDR}"),
        nodeadm(""),
        "kind: NodeConfig\nspec: {kubelet: {config: {maxPods: 110}}}",
        "[settings.kubernetes]\nmax-pods = 110\n",
        "[settings.kubernetes]\ncluster-name = 'shop'\ncluster-dns-ip = 'fd12::a'\n",
        "[settings.kubernetes]\ncluster-name = 'shop'\nstandalone-mode = true\n",
        "<powershell>\n& $EKSBootstrapScriptFile -EKSClusterName shop\n</powershell>",
    ],
)
def test_a_node_that_boots_ipv6_or_asks_its_cluster_or_cannot_be_known_is_silent(user_data: str) -> None:
    assert ipv4_boot(user_data) is None


def test_a_later_range_wins() -> None:
    assert ipv4_boot(f"{nodeadm('10.100.0.0/16')}---\n{nodeadm('fd12::/108')}") is None
    assert ipv4_boot(f"{nodeadm('fd12::/108')}---\n{nodeadm('10.100.0.0/16')}") is not None


@pytest.mark.parametrize(
    ("user_data", "address"),
    [
        ("/etc/eks/bootstrap.sh shop --dns-cluster-ip 10.100.0.10", "10.100.0.10"),
        ("/etc/eks/bootstrap.sh shop --kubelet-extra-args '--cluster-dns=10.100.0.10'", "10.100.0.10"),
        ("# --cluster-dns=10.100.0.10\n", ""),
        (nodeadm("fd12::/108", "{config: {clusterDNS: ['10.100.0.10', 'fd12::a']}}"), "10.100.0.10"),
        (nodeadm("fd12::/108", "{config: {clusterDNS: [fd12::a]}}"), "fd12::a"),
        (nodeadm("fd12::/108", "{flags: [--cluster-dns=10.100.0.10]}"), "10.100.0.10"),
        ("[settings.kubernetes]\ncluster-dns-ip = '10.100.0.10'\n", "10.100.0.10"),
        ("[settings.kubernetes]\ncluster-dns-ip = ['fd12::a', '10.100.0.10']\n", "fd12::a"),
        (nodeadm("fd12::/108"), ""),
        ("", ""),
    ],
)
def test_the_first_name_server_counts(user_data: str, address: str) -> None:
    assert cluster_dns(user_data) == address


WORDS = st.sampled_from(
    [
        "/etc/eks/bootstrap.sh",
        "--ip-family",
        "ipv4",
        "--node-ip=",
        "10.0.0.1",
        "'",
        '"',
        "\\\n",
        "\n",
        "kind: NodeConfig\n",
    ]
)


@given(st.lists(WORDS | st.text(max_size=6), max_size=12).map(" ".join))
def test_no_text_is_too_wild(user_data: str) -> None:
    for wild in (user_data, f"Content-Type: multipart/mixed\n{user_data}", f"[settings.kubernetes]\n{user_data}"):
        assert isinstance(ipv4_boot(wild), Boot | None)
        assert isinstance(cluster_dns(wild), str)
