"""Network ACLs: the first entry that fits decides, IPv4 is the measure, and both directions count."""

from __future__ import annotations

from typing import Any

import build
import pytest

from eks6check.facts.aws import NetworkAcl, NetworkAclEntry
from eks6check.facts.filters import Admits, Traffic, admits
from eks6check.findings import Severity

GROUPS = [{"id": "workers", "subnet_ids": ["subnet-1"]}]
HTTPS_OUT = Traffic("HTTPS out", is_egress=True, protocol="tcp", ports=(443,))


def entry(block: str, number: int = 100, **fields: Any) -> dict[str, Any]:
    return {"rule_number": number, "cidr_block": block, **fields}


def both(block: str, number: int = 100, **fields: Any) -> list[dict[str, Any]]:
    """The same entry in and out."""
    return [entry(block, number, **fields), entry(block, number, is_egress=True, **fields)]


OPEN = [*both("0.0.0.0/0"), *both("::/0", 101)]


def judged(*entries: dict[str, Any], tags: dict[str, str] | None = None) -> list[Any]:
    subnets = [{"id": "subnet-1", "vpc_id": "vpc-1", "tags": tags or {}}]
    acl = {"id": "acl-1", "vpc_id": "vpc-1", "subnet_ids": ["subnet-1", "subnet-2"], "entries": entries}
    return [*build.judge("VPC012", network_acls=[acl], subnets=subnets, node_groups=GROUPS).findings]


def test_an_acl_of_ipv4_alone_is_one_blocker_with_all_that_it_keeps_out() -> None:
    (finding,) = judged(*both("0.0.0.0/0"))
    assert finding.message == (
        "acl-1, which guards subnet-1 (node group workers), admits HTTPS out, answers in on ephemeral ports and "
        "answers out to ephemeral ports over IPv4 and not over IPv6."
    )
    assert finding.severity is Severity.BLOCKER
    assert finding.evidence["entries"][0] == "100 in 0.0.0.0/0 -1 allow"


def test_a_missing_direction_is_told_by_itself() -> None:
    (finding,) = judged(*both("0.0.0.0/0"), entry("::/0", 101, is_egress=True))
    assert "admits answers in on ephemeral ports over IPv4 and not over IPv6" in finding.message
    assert "out" not in finding.evidence["shut"]


def test_narrow_entries_for_ipv6_beside_open_ones_for_ipv4_are_a_warning() -> None:
    (finding,) = judged(*both("0.0.0.0/0"), *both("2001:db8::/56", 101))
    assert "and less of it over IPv6" in finding.message
    assert finding.severity is Severity.WARNING


def test_what_only_some_may_over_ipv4_is_a_warning() -> None:
    (finding,) = judged(entry("10.0.0.0/8", protocol="6", from_port=443, to_port=443, is_egress=True))
    assert finding.severity is Severity.WARNING
    assert "--port-range From=443,To=443" in finding.remedy


@pytest.mark.parametrize(("first", "last"), [(1024, 40000), (40000, 65535), (1024, 60000)])
def test_half_of_the_ephemeral_ports_are_not_enough(first: int, last: int) -> None:
    ports = {"protocol": "6", "from_port": first, "to_port": last}
    entries = [*both("0.0.0.0/0"), entry("::/0", 101, is_egress=True), entry("::/0", 101, **ports)]
    (finding,) = judged(*entries, entry("::/0", 102, protocol="58"))
    assert finding.evidence["shut"] == ["answers in on ephemeral ports"]


def test_the_remedy_takes_numbers_that_are_free() -> None:
    (finding,) = judged(*both("0.0.0.0/0", 101))
    assert "--rule-number 102 " in finding.remedy


def test_what_both_families_are_kept_out_of_was_meant() -> None:
    assert judged(*both("0.0.0.0/0", allow=False)) == []
    assert judged() == []
    inside = [entry("10.0.0.0/8", protocol="6", from_port=443, to_port=443, is_egress=True)]
    assert judged(*inside, entry("2001:db8::/56", 101, is_egress=True), entry("::/0", 102, protocol="58")) == []


def test_a_load_balancer_for_the_internet_must_let_its_clients_in() -> None:
    web = {"protocol": "6", "from_port": 443, "to_port": 443}
    entries = [
        *both("0.0.0.0/0"),
        entry("::/0", 50, is_egress=True),
        entry("::/0", 51, **web, allow=False),
        entry("::/0", 52),
    ]
    assert judged(*entries) == []
    (finding,) = judged(*entries, tags={"kubernetes.io/role/elb": "1"})
    assert finding.evidence["shut"] == ["HTTPS in"]
    assert finding.severity is Severity.WARNING


def test_tcp_without_icmpv6_is_a_warning() -> None:
    tcp = {"protocol": "6", "from_port": 0, "to_port": 65535}
    (finding,) = judged(*both("0.0.0.0/0"), *both("::/0", 101, **tcp))
    assert "Packet Too Big never arrives" in finding.message
    assert finding.severity is Severity.WARNING
    assert "--protocol 58" in finding.remedy
    for fields in ({}, {"from_port": 2, "to_port": 2}):
        assert judged(*both("0.0.0.0/0"), *both("::/0", 101, **tcp), entry("::/0", 102, protocol="58", **fields)) == []
    echo = entry("::/0", 102, protocol="58", from_port=128, to_port=128)
    assert len(judged(*both("0.0.0.0/0"), *both("::/0", 101, **tcp), echo)) == 1


def test_open_acls_and_those_of_subnets_that_serve_nothing_are_silent() -> None:
    assert judged(*OPEN) == []
    other = {"id": "acl-2", "subnet_ids": ["subnet-9"], "entries": both("0.0.0.0/0")}
    assert build.messages("VPC012", network_acls=[other], subnets=[{"id": "subnet-9"}], node_groups=GROUPS) == []


def acl(*entries: NetworkAclEntry) -> NetworkAcl:
    return NetworkAcl(id="acl-1", entries=entries)


def made(number: int, block: str, *, allow: bool = True, **fields: Any) -> NetworkAclEntry:
    return NetworkAclEntry(rule_number=number, cidr_block=block, is_egress=True, allow=allow, **fields)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([made(100, "::/0")], Admits.EVERYBODY),
        ([made(100, "2000::/3")], Admits.EVERYBODY),
        ([made(90, "::/0", allow=False), made(100, "::/0")], Admits.NOBODY),
        ([made(100, "::/0"), made(110, "::/0", allow=False)], Admits.EVERYBODY),
        ([made(90, "2001:db8::/32"), made(100, "::/0", allow=False)], Admits.SOME),
        ([made(90, "2001:db8::/32", allow=False), made(100, "::/0")], Admits.EVERYBODY),
        ([made(100, "0.0.0.0/0")], Admits.NOBODY),
        ([made(100, "::/0", protocol="17")], Admits.NOBODY),
        ([made(100, "::/0", protocol="6", from_port=80, to_port=80)], Admits.NOBODY),
        ([made(100, "::/0", protocol="6", from_port=1, to_port=65535)], Admits.EVERYBODY),
        ([made(100, "::/0", protocol="a-protocol-of-2030")], Admits.NOBODY),
        ([made(100, "")], Admits.NOBODY),
        ([], Admits.NOBODY),
    ],
)
def test_the_lowest_number_that_fits_decides(entries: list[NetworkAclEntry], expected: Admits) -> None:
    assert admits(acl(*reversed(entries)), HTTPS_OUT, "::/0") is expected


REST = {"rule_number": 32767, "cidr_block": "0.0.0.0/0", "allow": False}


@pytest.mark.parametrize(
    ("entries", "default", "block", "fires"),
    [
        ([*both("0.0.0.0/0"), REST, {**REST, "is_egress": True}], True, [], False),
        ([*both("0.0.0.0/0"), REST, {**REST, "is_egress": True}], True, ["2001:db8::/56"], True),
        ([*both("0.0.0.0/0"), REST], False, [], True),
        ([*both("0.0.0.0/0"), entry("192.0.2.0/24", 90, allow=False)], True, [], True),
    ],
)
def test_ec2_completes_a_default_acl_that_nobody_touched(
    entries: list[dict[str, Any]], block: list[str], *, default: bool, fires: bool
) -> None:
    acl = {"id": "acl-1", "vpc_id": "vpc-1", "default": default, "subnet_ids": ["subnet-1"], "entries": entries}
    subnets, vpcs = [{"id": "subnet-1", "vpc_id": "vpc-1"}], [{"id": "vpc-1", "ipv6_cidr_blocks": block}]
    found = build.messages("VPC012", network_acls=[acl], subnets=subnets, node_groups=GROUPS, vpcs=vpcs)
    assert bool(found) is fires
