"""What the commands take: each option once, with its name and its words."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class FailOn(StrEnum):
    """From which severity on a finding makes the exit code 1."""

    BLOCKER = "blocker"
    WARNING = "warning"
    INFO = "info"
    NEVER = "never"


class Format(StrEnum):
    """How a report is written."""

    TABLE = "table"
    JSON = "json"
    SARIF = "sarif"


class Document(StrEnum):
    """What ``permissions`` prints."""

    ALL = "all"
    IAM = "iam"
    RBAC = "rbac"


Select = Annotated[
    list[str] | None,
    typer.Option("--select", metavar="RULE", help="Only these rules: an id, its first letters, or a name. Repeatable."),
]
Ignore = Annotated[
    list[str] | None, typer.Option("--ignore", metavar="RULE", help="Not these rules; named as in --select.")
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to write the report.")]
Output = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write the report here instead of to the screen.")
]
Root = Annotated[
    Path | None,
    typer.Option("--root", metavar="DIR", help="Where SARIF paths begin; the repository's top if left out."),
]
FailOnOption = Annotated[FailOn, typer.Option("--fail-on", help="Exit with 1 from this severity on.")]
ClusterOption = Annotated[
    str | None, typer.Option("--cluster", metavar="NAME", help="The EKS cluster; else the kubeconfig context's.")
]
Region = Annotated[str | None, typer.Option("--region", metavar="REGION", help="The cluster's AWS region.")]
Profile = Annotated[str | None, typer.Option("--profile", metavar="NAME", help="The AWS profile to use.")]
Context = Annotated[str | None, typer.Option("--context", metavar="NAME", help="The kubeconfig context to use.")]
Namespace = Annotated[
    list[str] | None,
    typer.Option("--namespace", "-n", metavar="NAME", help="Only these namespaces, and kube-system. Repeatable."),
]
Sources = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="SOURCE", help="Read only aws, or only cluster; both if left out."),
]
Manifests = Annotated[
    list[str] | None,
    typer.Option("--manifests", metavar="PATH", help="Also judge these files, folders or globs. Repeatable."),
]
Helm = Annotated[
    list[str] | None,
    typer.Option(
        "--helm", metavar="CHART", help="Also judge what this chart renders to, by `helm template`. Repeatable."
    ),
]
Values = Annotated[
    list[str] | None,
    typer.Option("--values", metavar="FILE", help="Values for the charts, as helm takes them. Repeatable."),
]
Kustomize = Annotated[
    list[str] | None,
    typer.Option("--kustomize", metavar="DIR", help="Also judge what this kustomization builds. Repeatable."),
]
OldServiceCidr = Annotated[
    list[str] | None,
    typer.Option("--old-service-cidr", metavar="CIDR", help="The Service range of the IPv4 cluster. Repeatable."),
]
OldPodCidr = Annotated[
    list[str] | None,
    typer.Option("--old-pod-cidr", metavar="CIDR", help="A range that only its pods had. Repeatable."),
]
VpcCidr = Annotated[
    list[str] | None, typer.Option("--vpc-cidr", metavar="CIDR", help="An IPv4 block of its VPC. Repeatable.")
]
