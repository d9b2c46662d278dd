"""A glance: what no rule reads is counted and not parsed, and nothing that a rule reads is taken for it."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eks6check.sources import manifests
from eks6check.sources.manifests import yamldoc
from eks6check.sources.manifests.glance import unread
from eks6check.sources.manifests.objects import objects, section_of

ROLE = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: a\n"
DEFINITION = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n  group: a\n"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n"


@pytest.mark.parametrize(
    "text",
    [
        ROLE,
        f"---\n{ROLE}",
        f"--- # made by hand\n# for a\n\n{ROLE}rules:\n- verbs: [get]\n",
        ROLE.replace("\n", "\r\n"),
        "metadata:\n  name: a\nkind: Role\napiVersion: rbac.authorization.k8s.io/v1",
        f"{ROLE}broken: [\n",
        f"{ROLE}rules: []\nrules: []\n",
        DEFINITION,
    ],
)
def test_an_object_of_a_kind_that_no_rule_reads_is_known_by_its_head(text: str) -> None:
    assert set(unread(text) or ()) == {"apiVersion", "kind"}


@pytest.mark.parametrize(
    "text",
    [
        SERVICE,
        f"{DEFINITION}  conversion:\n    webhook: {{}}\n",
        f"{ROLE}spec:\n  template:\n    spec:\n      containers: []\n",
        f"{ROLE}spec:\n  template:\n    spec:\n      initContainers: []\n",
        ROLE.replace("Role", "RoleList"),
        ROLE.replace("Role", "Yes"),
        ROLE.replace("kind: Role", "kind: Role\n  Binding"),
        ROLE.replace("kind: Role", 'kind: "Role"'),
        f"{ROLE}kind: Service\n",
        f"{ROLE}kind : Service\n",
        f'{ROLE}"kind": Service\n',
        f"{ROLE}? kind\n: Service\n",
        f"{ROLE}&a kind: Service\n",
        f"base: &a {{kind: Service}}\n<<: *a\n{ROLE}",
        f"{ROLE}...\n",
        f"%YAML 1.1\n---\n{ROLE}",
        f"{ROLE}x: a\u2028kind: Service\n",
        ROLE + 'spec: {template: {spec: {"conta\\x69ners": []}}}\n',
        f"{ROLE}  labels: {{{{ .Values.labels }}}}\n",
        ' kind: Service\n x: "\nkind: Role\napiVersion: a/v1\n"\n apiVersion: v1\n',
        '{"apiVersion": "v1",\n"kind": "Role"}',
        "apiVersion: v1\n",
        "kind: Role\n",
        "# nothing\n",
        "replicas: 1\n",
        "replicas: [\n",
        "--- text\n",
        "text\n",
        "- a\n",
        "",
    ],
)
def test_what_could_mean_something_else_is_parsed(text: str) -> None:
    assert unread(text) is None


LINES = st.sampled_from(
    [
        *SERVICE.splitlines(),
        *ROLE.splitlines(),
        *DEFINITION.splitlines(),
        "kind: List",
        "items:",
        "- kind: Pod",
        "  apiVersion: v1",
        "spec: {template: {spec: {containers: []}}}",
        "spec: {podTemplate: {spec: {initContainers: []}}}",
        '"kind": Pod',
        "? kind",
        ": Pod",
        " kind: Pod",
        "&a kind: Pod",
        "<<: {kind: Pod}",
        'text: "',
        "'",
        "text: |",
        "text: >-",
        "{",
        "}",
        "  webhook: {}",
        "# comment",
        "",
        "---",
        "... ",
        "--",
        "\tx: 1",
        "x: 1\x85kind: Pod",
        "\xa0kind: Pod",
    ]
)


@given(st.lists(LINES | st.text(max_size=6), max_size=9), st.sampled_from(["\n", "\r\n"]))
@example(["kind: Role", "apiVersion: a/v1", "- kind: Pod"], "\n")
@example(["apiVersion: v1", 'text: "', "kind: Role", '"'], "\n")
def test_whatever_is_passed_over_holds_nothing_that_a_rule_reads(lines: list[str], end: str) -> None:
    for part in yamldoc.cut(yamldoc.decode(end.join(lines).encode("utf-8", "replace"))):
        seen, document = unread(part), yamldoc.read(part, 1)
        if seen is not None and not document.fault:
            held = list(objects("a", document))  # none where what looks like its head stands inside quotes
            assert not any(map(section_of, held))
            assert all(seen.items() <= each.body.items() for each in held)


def test_what_is_passed_over_is_counted_and_its_comments_are_read() -> None:
    text = f"{SERVICE}---\n{ROLE}broken: [\n---\na: 1\n---\n# eks6check: ignore[SVC001] why\n{ROLE}"
    files = manifests.read(["-"], io.BytesIO(text.encode()))
    assert files.counts == {"files": 1, "documents": 4, "resources": 3, "other_documents": 1}
    assert list(files.resources) == ["services"]
    assert not files.gaps
    [comment] = files.suppressions
    assert (comment.line, comment.first, comment.last) == (14, 13, 18)
