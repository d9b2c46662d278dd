"""Identity and metadata: addresses that reach IMDS over IPv4 only."""

from __future__ import annotations
