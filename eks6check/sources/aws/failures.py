"""Why an AWS call gave no answer: what boto3 raised, sorted into a few kinds, each with one line and a way to close it.

Names of exceptions and error codes are all that is passed on. AWS's own message may hold account data, an encoded
authorization blob or, for a bad signature, the request with its token.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from eks6check.facts import Gap


class Failure(StrEnum):
    """The kinds of failure that a reader acts on differently."""

    REFUSED = "refused"
    LOGIN = "login"
    THROTTLED = "throttled"
    REGION = "region"
    UNREACHABLE = "unreachable"
    SLOW = "slow"
    UNCLEAR = "unclear"
    OTHER = "other"


SAID: Mapping[Failure, tuple[str, str]] = {
    Failure.REFUSED: (
        "AWS refused {action} ({code}).",
        "Allow {action}: eks6check permissions prints the policy.",
    ),
    Failure.LOGIN: (
        "The credentials were not accepted for {action} ({code}).",
        "Log in again: `aws sts get-caller-identity` shows whether it worked.",
    ),
    Failure.THROTTLED: (
        "AWS turned {action} away as one call too many, retries included ({code}).",
        "Run again in a minute, or with --select for fewer calls.",
    ),
    Failure.REGION: (
        "AWS does not know this region ({code}).",
        "Check --region.",
    ),
    Failure.UNREACHABLE: (
        "The endpoint for {action} could not be reached ({code}).",
        "Check the network, HTTPS_PROXY and AWS_ENDPOINT_URL.",
    ),
    Failure.SLOW: (
        "The answer to {action} did not come in time ({code}).",
        "Run again; check the network if it stays.",
    ),
    Failure.UNCLEAR: (
        "The answer to {action} broke off or could not be understood ({code}).",
        "Run again; if it stays, see whether a proxy answers in AWS's place.",
    ),
    Failure.OTHER: (
        "AWS answered {action} with {code}.",
        "Run again; if it stays, try the same call with the AWS CLI.",
    ),
}

KINDS: Mapping[Failure, re.Pattern[str]] = {
    Failure.LOGIN: re.compile(
        r"ExpiredToken|RequestExpired|UnrecognizedClient|InvalidClientTokenId|InvalidAccessKeyId|AuthFailure|"
        r"SignatureDoesNotMatch|InvalidSignature|IncompleteSignature|MissingAuthenticationToken|InvalidToken|"
        r"OptInRequired|Credential|NoAuthToken|TokenRetrieval|TokenLoad|SSO|Login"
    ),
    Failure.REFUSED: re.compile(r"AccessDenied|UnauthorizedOperation|NotAuthorized|^Forbidden|^403$"),
    Failure.THROTTLED: re.compile(r"Throttl|RequestLimitExceeded|TooManyRequests|SlowDown|^429$"),
    Failure.REGION: re.compile(r"^(InvalidRegion|UnknownRegion|NoRegion|ServiceNotInRegion)Error$"),
    Failure.SLOW: re.compile(r"^(ReadTimeout|ConnectTimeout)Error$"),
    Failure.UNREACHABLE: re.compile(r"^(EndpointConnection|ProxyConnection|SSL|HTTPClient)Error$|^InvalidProxies"),
}
"""AWS's error codes and the names of botocore's exceptions, sorted; the first that fits counts."""


def gap_of(action: str, error: BaseException) -> Gap:
    """The gap that a failed call leaves: one line, and what would close it."""
    code = code_of(error)
    reason, remedy = SAID[failure_of(action, error)]
    return Gap(action, reason.format(action=action, code=code), remedy.format(action=action))


def code_of(error: BaseException | None) -> str:
    """AWS's error code where there is one, else the exception's name."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return type(error).__name__
    code = response.get("Error", {}).get("Code")
    return code if isinstance(code, str) and re.fullmatch(r"[\w.:-]{1,80}", code) else "an error without a code"


def failure_of(action: str, error: BaseException | None) -> Failure:
    """The kind of failure.

    An answer to another operation than the one asked for comes from the way to the credentials: an assumed role's.
    """
    code = code_of(error)
    operation = getattr(error, "operation_name", None)
    if operation is not None and operation != action.partition(":")[2]:
        return Failure.LOGIN
    fitting = (failure for failure, pattern in KINDS.items() if pattern.search(code))
    answered = isinstance(getattr(error, "response", None), dict)
    return next(fitting, Failure.OTHER if answered else Failure.UNCLEAR)
