"""Load balancing: what the AWS Load Balancer Controller refuses or ignores in an IPv6 cluster."""

from __future__ import annotations
