"""The demo: the very scan that a user runs, and what was planted is what it finds."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from whole import eks6check

README = Path(__file__).parent.parent / "README.md"

PLANTED = {
    ("CNI003", "apps/DaemonSet/kube-system/aws-node"),  # custom networking, for want of addresses
    ("CTL001", "prod"),
    ("EXT001", "prod"),  # who knows the NAT gateway's address
    ("FGT001", "jobs"),  # the Fargate subnet that is nearly full
    ("IDN002", "apps/Deployment/game/lobby"),
    ("LBC004", "v1/Service/shop/web"),
    ("LBC005", "v1/Service/shop/web"),
    ("LBC008", "apps/Deployment/kube-system/aws-load-balancer-controller"),
    ("LBC008", "v1/Service/game/lobby"),
    ("LBC011", "networking.k8s.io/Ingress/shop/storefront"),
    ("NOD001", "general"),  # Nitro and Xen side by side
    ("NOD003", "lt"),
    ("NOD007", "lt"),  # user data with the service range of today
    ("SVC001", "v1/Service/shop/cart"),
    ("VPC002", "subnet"),  # the private subnet that was forgotten
    ("VPC004", "subnet"),
    ("VPC005", "subnet"),
}


def test_the_demo_finds_what_was_planted_and_nothing_else() -> None:
    before = dict(os.environ)
    done = eks6check("demo", "--format", "json")
    assert (done.code, done.report["verdict"], done.err) == (1, "not-ready", "")
    found = [(each["rule"], re.sub(r"-[0-9a-f]{17}$", "", each["subject"]["id"])) for each in done.report["findings"]]
    assert sorted(found) == sorted(PLANTED)
    assert done.report["gaps"] == []
    assert set(done.states().values()) == {"passed", "failed", "not-applicable"}
    assert dict(os.environ) == before


def test_the_readme_shows_what_the_demo_prints() -> None:
    shown = (
        README.read_text(encoding="utf-8").partition("<!-- demo -->\n```text\n")[2].partition("```\n<!-- /demo -->")[0]
    )
    printed = masked(eks6check("demo").out)
    parts = [part for part in masked(shown).split("[...]\n") if part.strip()]
    assert len(parts) > 2
    for part in parts:
        assert part.strip("\n") in printed


def masked(text: str) -> str:
    """The text without what differs from one demo to the next."""
    text = re.sub(r"\b(subnet|rtb|eigw|vpc|lt)-[0-9a-f]{17}\b", r"\1-0", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "uuid", text)
    text = re.sub(r"\S*demo/k8s/", "k8s/", text)
    return re.sub(r"read [\dT:+-]+", "read then", text)


def test_without_its_extra_the_demo_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "moto", None)
    done = eks6check("demo")
    assert done.code == 2
    assert done.err == "error: The demo needs moto.\nhint: pip install 'eks6check[demo]'\n"
