"""The VPC: blocks, routes and gateways that nodes and pods stand on."""

from __future__ import annotations
