"""What EFS knows: where a file system can be mounted."""

from __future__ import annotations

from dataclasses import dataclass

from eks6check.facts.aws.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class MountTarget(Record):
    """A mount target of an EFS file system in the cluster's VPC; addresses are empty where it has none of a family.

    ``group_ids`` are the security groups of its interface.
    """

    file_system_id: str = ""
    subnet_id: str = ""
    ip_address: str = ""
    ipv6_address: str = ""
    group_ids: tuple[str, ...] = ()
