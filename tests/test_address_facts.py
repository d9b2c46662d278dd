"""The address recogniser: what is an address, what it means, and where it names somebody to talk to."""

from __future__ import annotations

from ipaddress import IPv4Address

import build
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks6check.facts.addresses import Literal, Meaning, OldRanges, literals, meaning, ranges_of
from eks6check.facts.texts import Text


def read(value: str, name: str = "VALUE") -> list[Literal]:
    return list(literals(Text((), "a test", name, value)))


def peers(value: str, name: str = "VALUE") -> list[str]:
    return [each.find for each in read(value, name) if each.peer]


@pytest.mark.parametrize(
    ("address", "means"),
    [
        ("0.0.0.0", "wildcard"),
        ("127.0.0.53", "loopback"),
        ("169.254.169.254", "metadata"),
        ("169.254.170.23", "metadata"),
        ("169.254.20.10", "node-local DNS"),
        ("169.254.172.9", "VPC CNI"),
        ("169.254.1.1", "link-local"),
        ("198.51.100.9", "documentation"),
        ("255.255.255.0", "mask"),
        ("224.0.0.1", "reserved"),
        ("10.0.0.1", "private"),
        ("172.31.0.2", "private"),
        ("100.64.0.1", "private"),
        ("172.32.0.1", "public"),
        ("8.8.8.8", "public"),
    ],
)
def test_an_address_means_what_its_block_says(address: str, means: str) -> None:
    assert meaning(IPv4Address(address)) == means


@given(st.ip_addresses(v=4))
def test_every_address_means_something_and_is_recognised_alone(address: IPv4Address) -> None:
    assert meaning(address) in Meaning
    assert [each.address for each in read(str(address))] == [address]


@pytest.mark.parametrize(
    "value",
    [
        "10.20.30.40",
        "postgres://user:pass@10.20.30.40/shop",
        "10.20.30.40:5432,db.example.com",
        "host = 10.20.30.40",
        '{"upstreamHost": "10.20.30.40"}',
        "proxy_pass http://10.20.30.40/;",
        "hosts:\n  - 10.20.30.40",
        "replicaof 10.20.30.40 6379",
        "dest=10.20.30.40:5432",
        "host 10.20.30.40/32",
        "url: http://10.20.30.40/#part",
        'password = "a#b"\nhost = "10.20.30.40"',
        "<!-- <host>10.1.1.1</host> --> <host>10.20.30.40</host> <!--",
    ],
)
def test_an_address_that_names_a_peer(value: str) -> None:
    found = peers(value, "DB_HOST" if value[0] == "1" else "conf")
    assert [each.removesuffix("/32") for each in found] == ["10.20.30.40"]


@pytest.mark.parametrize(
    "value",
    [
        "v1.2.3.4",
        "1.2.3.4-debian-r0",
        "chart-1.2.3.4",
        "1.3.6.1.4.1.9",
        "ip-10-0-0-1.ec2.internal",
        "256.1.1.1",
        "2.10.0.1beta",
        "10.0.0.1.nip.io",
        "registry.example.com/team/app:1.2.3.4",
        "Mozilla/5.0 Chrome/91.0.4472.124 Safari",
        "::ffff:10.0.0.1",
        "version: 10.4.2.1",
        '"appVersion": "10.4.2.1"',
        "checksum 10.4.2.1",
        "netmask 255.255.255.0",
        "10.0.0.1-10.0.0.9",
        r"10\.0\.0\.1",
        "# host: 10.0.0.1",
        "; host = 10.0.0.1",
        "// host: 10.0.0.1",
        "-- host 10.0.0.1",
        "/* host 10.0.0.1 */",
        "<!-- <host>10.0.0.1</host> -->",
        "<!--\n  <host>10.0.0.1</host>\n-->",
        "SERVER VERSION 4.0.0.1",
        "openAPIV3Schema:\n  host: 10.0.0.1",
        "no_proxy = 10.0.0.1,localhost",
        "deny 10.0.0.1;",
        '{"panels": [{"title": "http://10.0.0.1:80"}]}',
        "description: such as http://10.0.0.1:80",
    ],
)
def test_what_only_looks_like_an_address_of_a_peer(value: str) -> None:
    assert read(value, "config.txt") == []


@pytest.mark.parametrize("name", ["APP_VERSION", "imageTag", "chart", "NO_PROXY", "BUILD"])
def test_a_value_whose_name_says_that_it_is_none(name: str) -> None:
    assert read("10.4.2.1", name) == []


@pytest.mark.parametrize(
    "value",
    [
        "bind 10.0.0.1",
        "--listen-address=10.0.0.1:80",
        "allow 10.0.0.1;",
        "set_real_ip_from 10.0.0.1;",
        "10.0.0.0/8",
        "host 10.0.0.0/8",
        "host 10.0.0.0/31",
        "10.4.2.1",
    ],
)
def test_an_address_that_is_no_peer(value: str) -> None:
    assert [each.peer for each in read(value, "SOMETHING")] == [False]


def test_the_name_of_a_file_says_nothing_of_a_line_in_it() -> None:
    assert peers("10.0.0.1", "DB_HOST") == ["10.0.0.1"]
    assert peers("first 10.0.0.1\nlast 10.0.0.2", "DB_HOST") == []


def test_the_same_address_again_is_found_behind_the_first() -> None:
    found = read("# host 10.0.0.1\nhost 10.0.0.1\nhost 10.0.0.1\n", "conf")
    assert [(each.find, each.skip) for each in found] == [("10.0.0.1", 1), ("10.0.0.1", 2)]


@given(st.text(alphabet="0123456789./:- hostv\n#\"'\\", max_size=60))
def test_no_text_raises_and_what_is_found_stands_there(value: str) -> None:
    for each in read(value, "conf"):
        assert value.split(each.find, each.skip + 1)[1:]


def ranges(**blocks: str) -> OldRanges:
    made = [{"id": role, "role": role, "cidr_block": block} for role, block in blocks.items()]
    return ranges_of(build.facts(old_ranges=made)["old_ranges"].items)


def test_an_address_is_told_by_whose_it_was_the_narrowest_first() -> None:
    known = ranges(vpc="10.0.0.0/16", pod="10.0.9.0/24", service="172.20.0.0/16")
    told = [known.holds(IPv4Address(each)) for each in ("172.20.9.9", "10.0.9.9", "10.0.8.9", "10.100.0.10")]
    assert told == ["service", "pod", "vpc", ""]


def test_a_range_that_is_none_of_ipv4_or_of_nobody_holds_nothing() -> None:
    known = ranges(service="fd30:1::/108", pod="", vpc="10.0.0.0/99", moon="10.0.0.0/8")
    assert known == OldRanges()


def test_without_ranges_only_the_first_services_of_the_usual_ones_count() -> None:
    told = {each: OldRanges().holds(IPv4Address(each)) for each in ("10.100.0.1", "172.20.0.10", "172.20.0.11")}
    assert told == {"10.100.0.1": "default", "172.20.0.10": "default", "172.20.0.11": ""}
