"""The VPC CNI: what makes it refuse to start in an IPv6 cluster, or do nothing there."""

from __future__ import annotations
