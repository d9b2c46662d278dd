"""Fargate: IPv4 addresses that its pods still need."""

from __future__ import annotations
