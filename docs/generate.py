"""Write the pages that have their one home elsewhere: rules, permissions, options, and the review of the corpus.

`make check-docs` compares them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import review

from eks6check import catalog, pages

DOCS = Path(__file__).parent
HEAD = "<!-- Made by docs/generate.py; change the source that it names instead. -->\n\n"
COMMANDS = ("scan", "lint", "snapshot", "rules", "explain", "permissions", "demo")


def main() -> None:
    """Write every generated page."""
    rules = catalog.load()
    folder = DOCS / "rules"
    folder.mkdir(exist_ok=True)
    for stale in set(folder.glob("*.md")) - {folder / f"{rule.id}.md" for rule in rules}:
        stale.unlink()
    for rule in rules:
        write(folder / f"{rule.id}.md", f"{HEAD}{pages.page(rule)}\n")
    write(folder / "README.md", HEAD + index(rules))
    write(DOCS / "permissions.md", HEAD + permissions())
    write(DOCS / "graph.md", HEAD + graph(rules))
    write(DOCS / "options.md", HEAD + options())
    write(DOCS / "corpus-review.md", HEAD + review.page(rules))


def write(path: Path, content: str) -> None:
    """Write a page, the same bytes on every system."""
    path.write_text(content, encoding="utf-8", newline="\n")


def index(rules: tuple[catalog.Rule, ...]) -> str:
    """The table of all rules, out of rules.yaml."""
    rows = [f"| [{rule.id}]({rule.id}.md) | {rule.severity} | {rule.name} | {rule.title} |" for rule in rules]
    return "\n".join(["# Rules", "", "| id | severity | name | what it finds |", "|---|---|---|---|", *rows, ""])


def permissions() -> str:
    """The policy and the role for all rules, out of the calls of the collectors."""
    policy, role = pages.permissions((), (), "iam"), pages.permissions((), (), "rbac")
    return f"""# Permissions

eks6check only reads. These are the permissions for all rules; `eks6check permissions --select RULE` prints those
that some rules take. Where one is missing, the rules that need it are told as not evaluated, with the permission by
name, and the verdict is never "ready" over them.

## IAM policy

```json
{policy}
```

## ClusterRole

```yaml
{role}
```

Without a kubeconfig, eks6check signs a token through STS, as `aws eks get-token` does. The IAM identity then needs an
[EKS access entry](https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html) whose Kubernetes group is
bound to this ClusterRole.
"""


def graph(rules: tuple[catalog.Rule, ...]) -> str:
    """The table of rules, facts, calls and permissions, out of the parameters of rules and collectors."""
    return f"""# From rule to permission

A rule names the facts that it needs, a fact names the calls that read it, and a call names the permission that it
takes. A live scan makes the calls of the chosen rules and no others; where one is refused, the rules that stand
behind it here are told as not evaluated. IAM actions and lists are both the calls and the permissions: `list
services` is the verb `list` on `services`, `list ingresses.networking.k8s.io` the same in that API group.

{pages.graph(rules)}
"""


def options() -> str:
    """Every command's help, as the program prints it."""
    parts = ["# Options\n"]
    for command in COMMANDS:
        shown = subprocess.run(  # noqa: S603  our own program, with arguments from above
            [sys.executable, "-m", "eks6check", command, "--help"],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"},
        )
        usage = re.sub(r"python -m eks6check", "eks6check", shown.stdout).strip()
        parts.append(f"## {command}\n\n```text\n{usage}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    main()
