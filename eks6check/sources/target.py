"""Which cluster a live run is about: from the flags, else from the kubeconfig. Nothing is guessed.

The kubeconfig is read with yaml alone, and only for names: who connects, and how, is ``cluster.login``'s part.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from eks6check.errors import UsageError
from eks6check.facts.kube import mapping, sequence, text

ARN = re.compile(r"arn:aws[\w-]*:eks:(?P<region>[\w-]+):\d{12}:cluster/(?P<name>[\w-]+)")
"""What ``aws eks update-kubeconfig`` calls contexts and clusters."""

EKSCTL = re.compile(r"(?:.*@)?(?P<name>[\w-]+)\.(?P<region>[\w-]+)\.eksctl\.io")
"""What eksctl calls contexts (with a user in front) and clusters."""

ENDPOINT = re.compile(r"https://[^/]+\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d+)\.(?:eks\.amazonaws\.com|api\.aws)")
"""An EKS endpoint; it names the region, but not the cluster."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The cluster of a run; ``context`` is None where a token from EKS is the way in.

    Without the account among the sources, name and region may be None: a context is enough to list objects.
    """

    name: str | None
    region: str | None
    context: str | None

    def fits(self, name: str | None, region: str | None) -> bool:
        """Whether this is that cluster, as far as both sides are known."""
        return (not name or self.name in {None, name}) and (not region or self.region in {None, region})


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """The contexts of the user's kubeconfig by name, each with the cluster that it is for, and the current one."""

    contexts: Mapping[str, Choice]
    current: str | None


def choose(
    cluster: str | None, region: str | None, profile: str | None, context: str | None, sources: tuple[str, ...]
) -> Choice:
    """The cluster to read, of the flags and the kubeconfig, and the context to read it through.

    Raises:
        UsageError: something is missing, unknown or contradictory; the hint names the flags and the contexts.
    """
    if context or not cluster:
        config = kubeconfig()
        chosen = of_context(config, context, cluster, region)
        found = replace(chosen, name=cluster or chosen.name, region=region or chosen.region)
    else:
        config = readable_kubeconfig() if "cluster" in sources or not region else Kubeconfig({}, None)
        found = of_flags(config, cluster, region, profile)
    if "aws" in sources or not found.context:
        found = replace(found, region=found.region or default_region(profile))
        demand(found, config)
    return found


def of_context(config: Kubeconfig, context: str | None, cluster: str | None, region: str | None) -> Choice:
    """The context named, or the current one, where it is no other cluster than the flags say."""
    if context and context not in config.contexts:
        from difflib import get_close_matches  # noqa: PLC0415  only for the hint

        near = get_close_matches(context, config.contexts, n=3)
        raise UsageError(
            f"There is no context {context!r} in the kubeconfig.",
            f"Did you mean {', '.join(near)}?" if near else known(config),
        )
    chosen = config.contexts.get(context or config.current or "", Choice(None, None, None))
    if not chosen.fits(cluster, region):
        said = " ".join(f"--{flag} {value}" for flag, value in (("cluster", cluster), ("region", region)) if value)
        own = f"{chosen.name or 'a cluster'} in {chosen.region or 'some region'}"
        raise UsageError(
            f"The context {chosen.context} is for {own}, not for {said}.",
            "Leave out one of them, or name both --cluster and --region.",
        )
    return chosen


def of_flags(config: Kubeconfig, cluster: str, region: str | None, profile: str | None) -> Choice:
    """The cluster named, with a context if the kubeconfig has one for that very cluster."""
    current = config.contexts.get(config.current or "")
    if not region and current and current.name == cluster:
        region = current.region
    region = region or default_region(profile)
    candidates = (*((current,) if current else ()), *config.contexts.values())
    same = (each for each in candidates if region and (each.name, each.region) == (cluster, region))
    return next(same, Choice(cluster, region, None))


def demand(found: Choice, config: Kubeconfig) -> None:
    """Refuse a choice that leaves the cluster or its region open.

    Raises:
        UsageError: names the flags that are missing.
    """
    missing = [flag for flag, value in (("--cluster", found.name), ("--region", found.region)) if not value]
    if missing:
        where = f"The context {found.context} does not say" if found.context else "Nothing says"
        what = f"in which region {found.name} is" if found.name else "which EKS cluster to read"
        raise UsageError(f"{where} {what}: name {' and '.join(missing)}.", known(config))


def known(config: Kubeconfig) -> str:
    """The contexts there are, as a hint."""
    names = ", ".join(config.contexts)
    return f"The kubeconfig's contexts, for --context: {names}." if names else "There is no kubeconfig with contexts."


def default_region(profile: str | None) -> str | None:
    """The region of the environment, else of the AWS profile.

    Raises:
        UsageError: there is no such profile.
    """
    if region := os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"):
        return region
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415  lint does not come here
    from botocore.session import Session  # noqa: PLC0415  likewise

    try:
        region = Session(profile=profile).get_config_variable("region")
    except BotoCoreError as error:
        raise UsageError(
            f"The AWS configuration gives no region: {error}.", "Name --region, or another --profile."
        ) from error
    return text(region) or None


def readable_kubeconfig() -> Kubeconfig:
    """The kubeconfig, or an empty one where it cannot be read and the flags may do without."""
    try:
        return kubeconfig()
    except UsageError:
        return Kubeconfig({}, None)


def kubeconfig() -> Kubeconfig:
    """The user's kubeconfig: the files of KUBECONFIG, the first that names a thing wins, or ``~/.kube/config``.

    Raises:
        UsageError: a file is there, but cannot be read.
    """
    paths = os.environ.get("KUBECONFIG") or "~/.kube/config"
    files = [load(Path(path).expanduser()) for path in paths.split(os.pathsep) if path]
    contexts, clusters, users = (merged(files, section) for section in ("context", "cluster", "user"))
    known_contexts = {
        name: identify(name, body, clusters.get(text(body.get("cluster")), {}), users.get(text(body.get("user")), {}))
        for name, body in contexts.items()
    }
    current = next((name for file in files if (name := text(file.get("current-context")))), None)
    return Kubeconfig(known_contexts, current)


def load(path: Path) -> Mapping[str, Any]:
    """One file; an empty mapping where there is none."""
    try:
        content = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  safe
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise UsageError(
            f"The kubeconfig {path} cannot be read: {said}", "Mend it, or point KUBECONFIG elsewhere."
        ) from error
    if content is not None and not isinstance(content, dict):
        raise UsageError(f"The kubeconfig {path} is no mapping.", "Mend it, or point KUBECONFIG elsewhere.")
    return mapping(content)


def merged(files: list[Mapping[str, Any]], section: str) -> dict[str, Mapping[str, Any]]:
    """The named entries of one section (``contexts`` and so on) of all files; the first of a name wins."""
    entries: dict[str, Mapping[str, Any]] = {}
    for file in files:
        for entry in map(mapping, sequence(file.get(f"{section}s"))):
            if name := text(entry.get("name")):
                entries.setdefault(name, mapping(entry.get(section)))
    return entries


def identify(name: str, context: Mapping[str, Any], cluster: Mapping[str, Any], user: Mapping[str, Any]) -> Choice:
    """A context with the EKS cluster and region that it is for, as far as its parts say so.

    ``aws eks get-token`` has ``--cluster-name``, ``aws-iam-authenticator token`` has ``-i``.
    """
    words = [text(word) for word in sequence(mapping(user.get("exec")).get("args"))]
    flags = dict(flag_values(words))
    reference = text(context.get("cluster"))
    patterns = [pattern.fullmatch(each) for pattern in (ARN, EKSCTL) for each in (name, reference)]
    named = [found for found in patterns if found]
    endpoint = ENDPOINT.match(text(cluster.get("server")))
    return Choice(
        first(
            flags.get("--cluster-name"),
            flags.get("-i") if "token" in words else None,
            *(each["name"] for each in named),
        ),
        first(flags.get("--region"), *(each["region"] for each in named), endpoint and endpoint["region"]),
        name,
    )


def first(*values: str | None) -> str | None:
    """The first that says anything."""
    return next((value for value in values if value), None)


def flag_values(words: list[str]) -> Iterator[tuple[str, str]]:
    """The flags of a command line with their values, whether joined by a blank or by ``=``."""
    for word, following in pairwise([*words, ""]):
        flag, joined, value = word.partition("=")
        if flag.startswith("-"):
            yield flag, value if joined else following
