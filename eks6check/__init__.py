"""eks6check: what stands between you and a working IPv6 EKS cluster."""

__version__ = "0.1.0"
