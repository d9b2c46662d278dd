"""Which cluster a run is about: flags, kubeconfig, environment, and never a guess."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks6check.errors import UsageError
from eks6check.sources.target import Choice, choose, identify, kubeconfig

ARN = "arn:aws:eks:eu-west-1:111122223333:cluster/prod"
BOTH = ("aws", "cluster")
GET_TOKEN = ["--region", "us-east-1", "eks", "get-token", "--cluster-name", "prod", "--output", "json"]


def entry(name: str, args: list[Any] | None = None, server: str = "https://k8s.example", cluster: str = "") -> Any:
    """One context with a cluster and a user of its own."""
    reference = cluster or f"{name}-cluster"
    return {
        "contexts": [{"name": name, "context": {"cluster": reference, "user": f"{name}-user"}}],
        "clusters": [{"name": reference, "cluster": {"server": server}}],
        "users": [{"name": f"{name}-user", "user": {"exec": {"command": "aws", "args": args}} if args else {}}],
    }


def write(*entries: Any, current: str = "", file: str = "") -> None:
    """Write a kubeconfig of these contexts to the place where KUBECONFIG points, or to another."""
    sections = ("contexts", "clusters", "users")
    config = {section: [each for one in entries for each in one[section]] for section in sections}
    Path(file or os.environ["KUBECONFIG"]).write_text(json.dumps({**config, "current-context": current}))


def refused(*arguments: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        choose(*arguments)
    return caught.value


def test_flags_alone_suffice_without_a_kubeconfig() -> None:
    assert choose("prod", "eu-west-1", None, None, BOTH) == Choice("prod", "eu-west-1", None)


@pytest.mark.parametrize(
    ("made", "name", "region"),
    [
        (entry("alias", GET_TOKEN), "prod", "us-east-1"),
        (entry("alias", ["eks", "get-token", "--cluster-name=prod", "--region=us-east-1"]), "prod", "us-east-1"),
        (entry("alias", ["exec", "me", "--", "aws", *GET_TOKEN]), "prod", "us-east-1"),
        (entry(ARN), "prod", "eu-west-1"),
        (entry("alias", cluster=ARN), "prod", "eu-west-1"),
        (entry(ARN.replace("aws:", "aws-us-gov:").replace("eu-west-1", "us-gov-west-1")), "prod", "us-gov-west-1"),
        (entry("me@prod.eu-west-1.eksctl.io"), "prod", "eu-west-1"),
        (entry("me@example.com@prod.eu-west-1.eksctl.io", ["token", "-i", "prod"]), "prod", "eu-west-1"),
        (
            entry("alias", ["token", "-i", "prod"], "https://A1B2.gr7.ap-southeast-2.eks.amazonaws.com"),
            "prod",
            "ap-southeast-2",
        ),
    ],
)
def test_the_current_context_names_cluster_and_region(made: Any, name: str, region: str) -> None:
    context = made["contexts"][0]["name"]
    write(made, current=context)
    assert choose(None, None, None, None, BOTH) == Choice(name, region, context)


def test_a_chosen_context_goes_before_the_current_one() -> None:
    write(entry(ARN), entry("test", GET_TOKEN), current=ARN)
    assert choose(None, None, None, "test", BOTH) == Choice("prod", "us-east-1", "test")


def test_the_first_file_of_kubeconfig_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    write(entry("here", GET_TOKEN), current="here", file=first)
    write(entry("here", ["--cluster-name", "other"]), entry(ARN), current=ARN, file=second)
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join([str(tmp_path / "missing"), first, second]))
    config = kubeconfig()
    assert config.current == "here"
    assert config.contexts == {
        "here": Choice("prod", "us-east-1", "here"),
        ARN: Choice("prod", "eu-west-1", ARN),
    }


def test_a_named_cluster_takes_only_a_context_for_that_very_cluster() -> None:
    write(entry("other", GET_TOKEN), entry(ARN), current="other")
    assert choose("prod", "eu-west-1", None, None, BOTH).context == ARN
    assert choose("prod", "us-east-1", None, None, BOTH).context == "other"
    assert choose("prod", "eu-north-1", None, None, BOTH).context is None
    assert choose("shop", "eu-west-1", None, None, BOTH).context is None


def test_a_context_that_does_not_say_its_region_is_not_taken_for_a_named_cluster() -> None:
    write(entry("half", ["token", "-i", "prod"]), current="half")
    assert choose("prod", "eu-west-1", None, None, BOTH).context is None
    assert choose("prod", "eu-west-1", None, "half", BOTH).context == "half", "unless the user names it"


def test_a_named_cluster_takes_its_region_from_the_current_context_for_it() -> None:
    write(entry(ARN), current=ARN)
    assert choose("prod", None, None, None, BOTH) == Choice("prod", "eu-west-1", ARN)
    assert "--region" in refused("shop", None, None, None, BOTH).message


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_comes_from_the_environment(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "eu-west-1")
    assert choose("prod", None, None, None, BOTH).region == "eu-west-1"


def test_the_region_comes_from_the_profile() -> None:
    Path(os.environ["AWS_CONFIG_FILE"]).write_text("[profile work]\nregion = eu-north-1\n")
    assert choose("prod", None, "work", None, BOTH).region == "eu-north-1"
    assert "nobody" in refused("prod", None, "nobody", None, BOTH).message


def test_what_is_missing_is_asked_for_at_once() -> None:
    error = refused(None, None, None, None, BOTH)
    assert "--cluster and --region" in error.message
    write(entry("kind-test"), entry("minikube"), current="kind-test")
    error = refused(None, None, None, None, BOTH)
    assert "kind-test does not say" in error.message
    assert "kind-test, minikube" in error.hint
    assert "in which region prod is: name --region" in refused("prod", None, None, None, ("aws",)).message


def test_any_context_is_enough_to_read_the_cluster_alone() -> None:
    write(entry("kind-test"), current="kind-test")
    assert choose(None, None, None, None, ("cluster",)) == Choice(None, None, "kind-test")


def test_an_unknown_context_is_refused_with_the_near_names() -> None:
    write(entry("production"), entry("staging"), current="staging")
    error = refused(None, None, None, "prodction", BOTH)
    assert (error.message, error.hint) == (
        "There is no context 'prodction' in the kubeconfig.",
        "Did you mean production?",
    )


def test_flags_that_contradict_the_context_are_refused() -> None:
    write(entry(ARN), current=ARN)
    assert "not for --cluster shop" in refused("shop", None, None, ARN, BOTH).message
    assert "not for --region us-east-1" in refused(None, "us-east-1", None, None, BOTH).message


@pytest.mark.parametrize("content", [b"contexts: [", b"- a list", b"\xff\xfe\x00", b"text"])
def test_a_broken_kubeconfig_is_an_error_only_where_it_is_needed(content: bytes) -> None:
    Path(os.environ["KUBECONFIG"]).write_bytes(content)
    assert "kubeconfig" in refused(None, None, None, None, BOTH).message
    assert choose("prod", "eu-west-1", None, None, BOTH) == Choice("prod", "eu-west-1", None)


def test_a_current_context_that_is_not_there_is_none() -> None:
    write(entry("test"), current="gone")
    assert "--cluster" in refused(None, None, None, None, ("cluster",)).message


WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["exec", "args", "name"]), inner),
)
PARTS = st.dictionaries(st.sampled_from(["exec", "server", "cluster", "user"]), WILD)


@given(PARTS, PARTS, PARTS)
def test_no_shape_of_a_kubeconfig_breaks_the_reading(context: Any, cluster: Any, user: Any) -> None:
    assert identify("any", context, cluster, user).context == "any"
