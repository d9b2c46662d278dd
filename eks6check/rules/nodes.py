"""Nodes: instance types, pod density and instance metadata."""

from __future__ import annotations
