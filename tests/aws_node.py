"""The VPC CNI's DaemonSet for tests."""

from __future__ import annotations

from typing import Any


def aws_node(env: dict[str, Any], /, tag: str = "v1.20.4-eksbuild.2", **container: Any) -> dict[str, Any]:
    """The VPC CNI's DaemonSet with these variables, and the network policy agent beside it."""
    image = f"602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon-k8s-cni:{tag}"
    variables = [{"name": name, "value": value} for name, value in env.items()]
    main = {"name": "aws-node", "image": image, "env": variables, **container}
    agent = {"name": "aws-eks-nodeagent", "image": "x/amazon/aws-network-policy-agent:v1.0.0"}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "aws-node", "namespace": "kube-system"},
        "spec": {"template": {"spec": {"hostNetwork": True, "containers": [main, agent]}}},
    }


def with_init(env: dict[str, Any], main: dict[str, Any]) -> dict[str, Any]:
    """Likewise, with the container that prepares the node and its own variables."""
    workload = aws_node(main)
    variables = [{"name": name, "value": value} for name, value in env.items()]
    container = {"name": "aws-vpc-cni-init", "image": "x/amazon-k8s-cni-init:v1.20.4", "env": variables}
    workload["spec"]["template"]["spec"]["initContainers"] = [container]
    return workload
