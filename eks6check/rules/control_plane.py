"""The control plane: family and version of the cluster."""

from __future__ import annotations
