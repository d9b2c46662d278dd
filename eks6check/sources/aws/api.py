"""The AWS API as collectors see it: calls named by their IAM action, all pages of a list, every failure a gap.

boto3 signs, retries and reads answers. What is left to say here is which failures end a run before it begins (no login,
no such cluster), and how all others are told in one line without a word of the answer, which may hold a token.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from threading import Lock
from typing import Any, TypeVar

from eks6check import __version__
from eks6check.errors import NothingCheckedError, UsageError
from eks6check.facts import Gap
from eks6check.facts.aws import Record
from eks6check.facts.kube import mapping, text
from eks6check.sources import WIDTH, Unreadable
from eks6check.sources.aws.failures import Failure, code_of, failure_of, gap_of
from eks6check.sources.ledger import Ledger

ABREAST = 8
"""Calls that one collector makes at the same time. EKS allows few describes a second; boto3 waits where it says no."""

ATTEMPTS = 5
CONNECT_SECONDS = 5
READ_SECONDS = 30

SERVICES: Mapping[str, str] = {"elasticfilesystem": "efs", "elasticloadbalancing": "elbv2"}
"""The boto3 client of an IAM service prefix, where the two names differ."""

RETRY = "Run again; if it stays, try the same call with the AWS CLI."

K = TypeVar("K")
R = TypeVar("R", bound=Record)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Account:
    """One account in one region. Threads may share it: clients are made once, under a lock."""

    session: Any
    region: str
    ledger: Ledger = field(default_factory=Ledger, repr=False)
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def call(self, action: str, key: str, **parameters: Any) -> Any:
        """What stands under ``key`` in the answer to one call: ``call("eks:DescribeCluster", "cluster", name="prod")``.

        boto3 takes half a JSON answer for an empty one, so an answer without the key is no answer.

        Raises:
            Unreadable: there was none; the cause is what boto3 raised.
        """
        try:
            client, operation = self._bound(action)
            return getattr(client, operation)(**parameters)[key]
        except Exception as error:
            raise Unreadable(gap_of(action, error)) from error

    def pages(self, action: str, key: str, service: str = "", **parameters: Any) -> Iterator[Any]:
        """What stands under ``key`` in all pages of a list; without the key a page is no answer, and no empty list.

        ``service`` is the boto3 client where the action's prefix does not tell: ``elb`` for classic load balancers.

        Raises:
            Unreadable: a page could not be read; those before it have been given.
        """
        try:
            client, operation = self._bound(action, service)
            if client.can_paginate(operation):
                answers = client.get_paginator(operation).paginate(**parameters)
            else:
                answers = _marked(getattr(client, operation), parameters)
            for answer in answers:
                yield from answer[key]
        except Exception as error:
            raise Unreadable(gap_of(action, error)) from error

    def _bound(self, action: str, service: str = "") -> tuple[Any, str]:
        from botocore import xform_name  # noqa: PLC0415  boto3 takes a fifth of a second, which lint does not pay

        prefix, _, operation = action.partition(":")
        service = service or SERVICES.get(prefix, prefix)
        with self._lock:
            if service not in self._clients:
                client = self.session.client(service, config=_config())
                client.meta.events.register("before-send", partial(_note, self.ledger, prefix))
                self._clients[service] = client
        return self._clients[service], xform_name(operation)


def _marked(operation: Callable[..., Any], parameters: Mapping[str, Any]) -> Iterator[Any]:
    """The pages of a list that botocore has no paginator for, as WAF's: the marker may come with the last one too."""
    marker: dict[str, str] = {}
    while True:
        answer = operation(**parameters, **marker)
        yield answer
        following = {"NextMarker": answer["NextMarker"]} if answer.get("NextMarker") else {}
        if following in ({}, marker):
            return
        marker = following


def _note(ledger: Ledger, prefix: str, event_name: str, **_: Any) -> None:
    """Note a request that boto3 is about to send; the event's name ends with the operation."""
    ledger.take(f"{prefix}:{event_name.rpartition('.')[2]}")


def _config() -> Any:
    from botocore.config import Config  # noqa: PLC0415  likewise

    return Config(
        connect_timeout=CONNECT_SECONDS,
        max_pool_connections=WIDTH + 2 * ABREAST,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        user_agent_extra=f"eks6check/{__version__}",
    )


def each(function: Callable[[K], T], keys: Iterable[K]) -> Iterator[T | Gap]:
    """The function's result for every key, in the order of the keys, or the gap where there is none."""
    with ThreadPoolExecutor(ABREAST) as pool:
        yield from pool.map(partial(attempt, function), keys)


def attempt(function: Callable[[K], T], key: K) -> T | Gap:
    """The function's result, or the gap that kept it from one."""
    try:
        return function(key)
    except Unreadable as unreadable:
        return unreadable.gap


def made(call: str, bodies: Iterable[object], make: Callable[[Any], T], *required: str) -> Iterator[T | Gap]:
    """A record of every body, or a gap for one that came without a field that no default can stand for."""
    for each_body in bodies:
        body = mapping(each_body)
        lacking = [name for name in required if body.get(name) is None]
        if lacking:
            identity = text(body.get(required[0])) or "One item"
            yield Gap(call, f"{identity} came without {' and '.join(lacking)}, so it is not judged.", RETRY)
        else:
            yield make(body)


def gathered(found: Iterable[T | Gap]) -> tuple[list[T], list[Gap]]:
    """What was found, and the gaps, that of a list that broke off included: for items that need another call each."""
    items: list[T] = []
    gaps: list[Gap] = []
    try:
        for each_found in found:
            if isinstance(each_found, Gap):
                gaps.append(each_found)
            else:
                items.append(each_found)
    except Unreadable as unreadable:
        gaps.append(unreadable.gap)
    return items, gaps


def complete(call: str, named: Iterable[str], found: Iterable[R | Gap]) -> Iterator[R | Gap]:
    """What was found, and a gap for each id that the cluster names and EC2 did not list: deleted, or no more shared."""
    missing = {*named} - {""}
    for each_found in found:
        missing.discard("" if isinstance(each_found, Gap) else each_found.id)
        yield each_found
    for identity in sorted(missing):
        reason = f"The cluster names {identity}, and EC2 does not list it, so it is not judged."
        yield Gap(call, reason, "See whether it still exists; if it was shared, ask the account that owns it.")


def connect(region: str | None = None, profile: str | None = None) -> Account:
    """The account that flags, environment and AWS configuration lead to. Nothing is called yet.

    Raises:
        UsageError: there is no such profile, no region, or no AWS configuration that can be read.
    """
    import boto3  # noqa: PLC0415  likewise
    from botocore import exceptions  # noqa: PLC0415  likewise

    try:
        session = boto3.session.Session(profile_name=profile or None, region_name=region or None)
    except exceptions.ProfileNotFound as error:
        raise UsageError(f"There is no AWS profile {error.kwargs['profile']!r}.", _profiles()) from error
    except exceptions.BotoCoreError as error:
        hint = "Mend the file that AWS_CONFIG_FILE names, or ~/.aws/config."
        raise UsageError("The AWS configuration cannot be read.", hint) from error
    if not session.region_name:
        raise UsageError("No AWS region is chosen.", "Name it with --region, or set AWS_REGION.")
    return Account(session, session.region_name)


def _profiles() -> str:
    from botocore.session import Session  # noqa: PLC0415  likewise

    names = Session().available_profiles
    return f"There are: {', '.join(sorted(names))}." if names else "`aws configure list-profiles` lists them."


@dataclass(frozen=True, slots=True)
class Source:
    """What the collectors of ``sources.aws`` read from: an account, and one cluster in it.

    ``described`` is the cluster as ``eks:DescribeCluster`` gave it, endpoint and certificate authority included, or the
    gap where that call was refused: what the cluster's name alone leads to can still be read.
    """

    account: Account
    cluster: str
    described: Mapping[str, Any] | Gap


def identify(account: Account, cluster: str) -> Source:
    """Ask for the cluster before anything else, so that a wrong name or an old login ends the run at once.

    Raises:
        NothingCheckedError: no login, or no way to AWS.
        UsageError: no such cluster or region.
    """
    try:
        described = mapping(account.call("eks:DescribeCluster", "cluster", name=cluster))
    except Unreadable as unreadable:
        _refuse_fatal(account, cluster, unreadable.__cause__)
        return Source(account, cluster, unreadable.gap)
    return Source(account, cluster, described)


def _refuse_fatal(account: Account, cluster: str, error: BaseException | None) -> None:
    failure, code = failure_of("eks:DescribeCluster", error), code_of(error)
    region = account.region
    if code in ("ResourceNotFoundException", "InvalidParameterException", "ParamValidationError"):
        raise UsageError(f"There is no EKS cluster {cluster!r} in {region}.", _clusters(account)) from error
    if failure is Failure.LOGIN:
        hint = "Log in (`aws sso login`, `aws configure`), or name another --profile."
        raise NothingCheckedError(f"AWS gives no access with these credentials ({code}).", hint) from error
    if failure is Failure.REGION or (failure is Failure.UNREACHABLE and region not in _regions(account)):
        raise UsageError(f"There is no AWS region {region!r} with EKS.", _near(region, _regions(account))) from error
    if failure in (Failure.UNREACHABLE, Failure.SLOW):
        hint = "Check the network, HTTPS_PROXY, --region and AWS_ENDPOINT_URL."
        raise NothingCheckedError(f"EKS in {region} cannot be reached ({code}).", hint) from error


def _clusters(account: Account) -> str:
    try:
        names = sorted(str(name) for name in account.pages("eks:ListClusters", "clusters"))
    except Unreadable:
        return "Check --cluster, --region and --profile."
    shown = [name for name in names[:10] if re.fullmatch(r"[\w-]+", name)]
    if not shown:
        return "This account has no cluster there: check --region and --profile."
    return f"This account has there: {', '.join(shown)}{', ...' if len(names) > len(shown) else ''}."


def _regions(account: Account) -> list[str]:
    partitions = account.session.get_available_partitions()
    return [name for each in partitions for name in account.session.get_available_regions("eks", each)]


def _near(region: str, regions: Iterable[str]) -> str:
    near = get_close_matches(region, regions, n=3)
    return f"Did you mean {', '.join(near)}?" if near else "Name one with --region, such as eu-west-1."
