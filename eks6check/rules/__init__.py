"""The rules, one module a topic of the catalogue. This tuple is the whole list of them."""

from types import ModuleType

from eks6check.rules import (
    annotations,
    cni,
    control_plane,
    fargate,
    identity,
    ingresses,
    load_balancing,
    metadata,
    nodes,
    pod_density,
    services,
    vpc,
)

MODULES: tuple[ModuleType, ...] = (
    control_plane,
    vpc,
    nodes,
    pod_density,
    metadata,
    cni,
    fargate,
    load_balancing,
    ingresses,
    annotations,
    services,
    identity,
)
