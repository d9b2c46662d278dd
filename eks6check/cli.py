"""The command line: parse, make Options, run, print, and end with the exit code that ``docs/usage.md`` promises."""

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from eks6check import __version__, screen
from eks6check.arguments import (
    ClusterOption,
    Context,
    Document,
    FailOn,
    FailOnOption,
    Format,
    FormatOption,
    Helm,
    Ignore,
    Kustomize,
    Manifests,
    Namespace,
    OldPodCidr,
    OldServiceCidr,
    Output,
    Profile,
    Region,
    Root,
    Select,
    Sources,
    Values,
    VpcCidr,
)
from eks6check.errors import Eks6checkError
from eks6check.findings import Severity
from eks6check.options import LIVE, Options, words

app = typer.Typer(
    name="eks6check",
    help="What stands between you and a working IPv6 EKS cluster.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 and the number of the signal, as shells have it. Typer makes it of the interrupt."""


@app.callback(invoke_without_command=True)
def version(
    *, show: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False
) -> None:
    """What stands between you and a working IPv6 EKS cluster."""
    if show:
        typer.echo(f"eks6check {__version__}")
        raise typer.Exit


@app.command()
def scan(
    *,
    cluster: ClusterOption = None,
    region: Region = None,
    profile: Profile = None,
    context: Context = None,
    namespace: Namespace = None,
    source: Sources = None,
    manifests: Manifests = None,
    helm: Helm = None,
    values: Values = None,
    kustomize: Kustomize = None,
    old_service_cidr: OldServiceCidr = None,
    old_pod_cidr: OldPodCidr = None,
    vpc_cidr: VpcCidr = None,
    snapshot: Annotated[
        Path | None, typer.Option("--snapshot", metavar="FILE", help="Judge a snapshot instead of what is live.")
    ] = None,
    select: Select = None,
    ignore: Ignore = None,
    fail_on: FailOnOption = FailOn.BLOCKER,
    format: FormatOption = Format.TABLE,  # noqa: A002  the option's name
    output: Output = None,
    root: Root = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say on standard error what was called, and how often.")
    ] = False,
) -> None:
    """Judge the live AWS account and cluster, and files beside them. Reads only."""
    report_on(
        Options(
            sources=words(source) or (() if snapshot else LIVE),
            manifests=tuple(manifests or ()),
            helm=tuple(helm or ()),
            values=tuple(values or ()),
            kustomize=tuple(kustomize or ()),
            old_service_cidr=words(old_service_cidr),
            old_pod_cidr=words(old_pod_cidr),
            vpc_cidr=words(vpc_cidr),
            snapshot=snapshot,
            cluster=cluster,
            region=region,
            profile=profile,
            context=context,
            namespaces=words(namespace),
            select=words(select),
            ignore=words(ignore),
            fail_on=severity(fail_on),
            format=format.value,
            output=output,
            root=root,
            verbose=verbose,
        )
    )


@app.command()
def lint(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH...", help="Files, folders, globs, or - for standard input.")
    ] = None,
    *,
    helm: Helm = None,
    values: Values = None,
    kustomize: Kustomize = None,
    old_service_cidr: OldServiceCidr = None,
    old_pod_cidr: OldPodCidr = None,
    vpc_cidr: VpcCidr = None,
    select: Select = None,
    ignore: Ignore = None,
    fail_on: FailOnOption = FailOn.BLOCKER,
    format: FormatOption = Format.TABLE,  # noqa: A002  the option's name
    output: Output = None,
    root: Root = None,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Files without any Kubernetes object are fine, not an error.")
    ] = False,
) -> None:
    """Judge manifests alone: for pre-commit and CI. Needs no network, no account and no cluster."""
    report_on(
        Options(
            manifests=tuple(paths or ()),
            helm=tuple(helm or ()),
            values=tuple(values or ()),
            kustomize=tuple(kustomize or ()),
            old_service_cidr=words(old_service_cidr),
            old_pod_cidr=words(old_pod_cidr),
            vpc_cidr=words(vpc_cidr),
            allow_empty=allow_empty,
            select=words(select),
            ignore=words(ignore),
            fail_on=severity(fail_on),
            format=format.value,
            output=output,
            root=root,
        )
    )


@app.command()
def snapshot(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")],
    *,
    cluster: ClusterOption = None,
    region: Region = None,
    profile: Profile = None,
    context: Context = None,
    namespace: Namespace = None,
    source: Sources = None,
) -> None:
    """Write the live facts to a file, to be judged later or elsewhere with `scan --snapshot FILE`."""
    from eks6check.sources import live  # noqa: PLC0415  each command pays for its own imports only

    options = Options(
        sources=words(source) or LIVE,
        cluster=cluster,
        region=region,
        profile=profile,
        context=context,
        namespaces=words(namespace),
        output=file,
    )
    with screen.progress(options) as told:
        content, held = live.snapshot(options, told)
    screen.write(content, file)
    screen.tell(f"Wrote {file}: {held}.")


@app.command()
def rules(*, select: Select = None, ignore: Ignore = None) -> None:
    """List the rules."""
    from eks6check import pages  # noqa: PLC0415  each command pays for its own imports only

    screen.write(f"{pages.listing(words(select), words(ignore))}\n")


@app.command()
def explain(rule: Annotated[str, typer.Argument(metavar="RULE", help="An id or a name.")]) -> None:
    """Say what a rule looks at, why it matters, and how to mend what it finds."""
    from eks6check import pages  # noqa: PLC0415  each command pays for its own imports only

    screen.write(f"{pages.explanation(rule)}\n")


@app.command()
def permissions(
    *,
    select: Select = None,
    ignore: Ignore = None,
    only: Annotated[Document, typer.Option("--only", help="Print the IAM policy or the ClusterRole alone.")] = (
        Document.ALL
    ),
    probe: Annotated[
        bool, typer.Option("--probe", help="Ask AWS and the cluster what a scan would be refused, and print that.")
    ] = False,
    cluster: ClusterOption = None,
    region: Region = None,
    profile: Profile = None,
    context: Context = None,
    namespace: Namespace = None,
    source: Sources = None,
) -> None:
    """Print the IAM policy and the ClusterRole that the chosen rules need, and nothing more."""
    chosen = Options(
        sources=words(source) or LIVE,
        cluster=cluster,
        region=region,
        profile=profile,
        context=context,
        namespaces=words(namespace),
        select=words(select),
        ignore=words(ignore),
    )
    if probe:
        probe_for(chosen)
    from eks6check import pages  # noqa: PLC0415  each command pays for its own imports only

    screen.write(f"{pages.permissions(chosen.select, chosen.ignore, only.value)}\n")


@app.command()
def demo(*, format: FormatOption = Format.TABLE) -> None:  # noqa: A002  the option's name
    """Scan a made-up account and cluster that run on this machine. Needs `pip install 'eks6check[demo]'`."""
    from eks6check import demo as play  # noqa: PLC0415  each command pays for its own imports only

    with play.running(format.value) as options:
        report_on(options)


def severity(fail_on: FailOn) -> Severity | None:
    """The severity that an option stands for; None for never."""
    return None if fail_on is FailOn.NEVER else Severity(fail_on.value)


def probe_for(options: Options) -> NoReturn:
    """Ask what a scan would be refused, write that, and end with its exit code."""
    from eks6check.probe import exit_code, probe, told  # noqa: PLC0415  each command pays for its own imports only

    probed = probe(options)
    screen.write(f"{told(probed)}\n")
    raise typer.Exit(exit_code(probed))


def report_on(options: Options) -> None:
    """Run, write the report, and end with its exit code."""
    from eks6check.run import exit_code, run  # noqa: PLC0415  `--help` has no use for it

    with screen.progress(options) as told:
        report = run(options, told)
    screen.write(screen.rendered(report, options), options.output)
    screen.tell_rest(report, options)
    raise typer.Exit(exit_code(report, options.fail_on))


def main() -> None:
    """Run the program. An error ends in one line, a hint and its exit code; Ctrl-C in 130."""
    try:
        app()
    except Eks6checkError as error:
        sys.exit(screen.complain(error))
    except BrokenPipeError:
        screen.mute()
        sys.exit(141)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            os._exit(INTERRUPTED)  # Python would wait for the threads that still wait for an answer
        raise
