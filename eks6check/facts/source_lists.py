"""Lists of client addresses in the ConfigMap of the nginx ingress controller, and what becomes of those listed."""

from __future__ import annotations

from collections.abc import Mapping

ADMITS, KEEPS_OUT, TRUSTS = "admits", "keeps out", "trusts"

SETTINGS: Mapping[str, str] = {
    "whitelist-source-range": ADMITS,
    "denylist-source-range": KEEPS_OUT,
    "block-cidrs": KEEPS_OUT,
    "proxy-real-ip-cidr": TRUSTS,
}
"""Keys of that ConfigMap. Of the peers that it trusts, it believes the client's address. Its page, read 2026-11-25."""
