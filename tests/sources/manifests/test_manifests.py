"""Manifests: every document ends as objects, as something else that is counted, or as a gap with its place."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eks6check.engine import locate
from eks6check.errors import NothingCheckedError, UsageError
from eks6check.facts import Gap
from eks6check.facts.kinds import KINDS
from eks6check.facts.kube import Resource
from eks6check.sources import collect, manifests
from eks6check.sources.manifests import COLLECTORS, Files, gaps


def read(data: str | bytes) -> Files:
    return manifests.read(["-"], io.BytesIO(data if isinstance(data, bytes) else data.encode()))


def held(data: str) -> dict[str, list[str]]:
    return {section: [str(each) for each in found] for section, found in read(data).resources.items()}


def test_objects_go_to_their_sections_by_group_and_kind() -> None:
    for section, kinds in KINDS.items():
        for kind in kinds:
            version = f"{kind.group}/v1" if kind.group else "v1"
            expected = {{"pods": "workloads", "webhooks": "webhook_configurations"}.get(section, section): 1}
            spec = "spec: {conversion: {webhook: {}}}"
            files = read(f"apiVersion: {version}\nkind: {kind.kind}\nmetadata: {{name: a}}\n{spec}\n")
            assert {name: len(found) for name, found in files.resources.items()} == expected


def test_a_definition_without_a_conversion_webhook_is_left_out() -> None:
    definition = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, spec: {}}"
    assert read(definition).resources == {}


@pytest.mark.parametrize(
    ("version", "kind", "section"),
    [
        ("extensions/v1beta1", "Ingress", "ingresses"),
        ("extensions/v1beta1", "Deployment", "workloads"),
        ("v1", "ReplicationController", "workloads"),
        ("argoproj.io/v1alpha1", "Rollout", "workloads"),
        ("serving.knative.dev/v1", "Service", "workloads"),
    ],
)
def test_old_groups_and_anything_with_a_pod_template_are_known(version: str, kind: str, section: str) -> None:
    body = {"apiVersion": version, "kind": kind, "spec": {"template": {"spec": {"containers": []}}}}
    assert list(read(json.dumps(body)).resources) == [section]


def test_other_kinds_are_counted_and_go_nowhere() -> None:
    files = read("{apiVersion: serving.knative.dev/v1, kind: Service, spec: {}}\n---\n{apiVersion: v1, kind: Secret}")
    assert files.resources == {}
    assert files.counts == {"files": 1, "documents": 2, "resources": 2, "other_documents": 0}


def test_a_name_that_is_no_text_is_shown_as_it_is_read() -> None:
    named = "apiVersion: v1\nkind: Service\nmetadata: {{name: {}}}\n"
    assert held("---\n".join(map(named.format, ("y", "80", "[]", "null")))) == {
        "services": ["Service default/true", "Service default/80", "Service without a name", "Service without a name"]
    }


def test_what_is_no_kubernetes_object_is_counted_and_no_gap() -> None:
    files = read(
        "image: {tag: 1}\n---\n- a\n---\nkind: Service\n---\ntext\n---\n# empty\n---\napiVersion: 1\nkind: [x]\n"
    )
    assert files.counts == {"files": 1, "documents": 5, "resources": 0, "other_documents": 5}
    assert (files.gaps, files.notes) == ((), ())


LIST = """\
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Service
    metadata: {name: a}
  - just text
  - apiVersion: v1
    kind: ServiceList
    items:
      - metadata: {name: b}
        kind:
        spec:
          type: LoadBalancer
"""


def test_lists_give_their_items_with_their_places() -> None:
    services = read(LIST).resources["services"]
    assert [(each.name, each.origin.path) for each in services] == [
        ("a", ("items", 0)),
        ("b", ("items", 2, "items", 0)),
    ]
    assert [locate(each).line for each in services] == [4, 11]
    place = locate(services[1], ("spec", "type"))
    assert (place.source, place.file, place.line, place.column) == ("manifests", "stdin", 14, 11)


def test_an_item_of_a_typed_list_takes_kind_and_version_from_it() -> None:
    [service] = read('{"apiVersion": "v1", "kind": "ServiceList", "items": [{"metadata": {"name": "b"}}]}').resources[
        "services"
    ]
    assert service.subject.id == "v1/Service/default/b"


def test_an_object_whose_kind_ends_in_list_is_no_list() -> None:
    assert read("{apiVersion: a/v1, kind: AllowList, items: [x], spec: {}}").counts["resources"] == 1


@pytest.mark.parametrize(
    ("owner", "judged"),
    [
        ({"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": True}, False),
        ({"apiVersion": "apps/v1", "kind": "ReplicaSet"}, True),
        ({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "controller": True}, True),
        ("ReplicaSet", True),
    ],
)
def test_what_a_workload_made_is_left_to_the_workload(owner: object, *, judged: bool) -> None:
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "ownerReferences": [owner]}}
    assert bool(read(json.dumps(body)).resources) is judged


def test_a_broken_document_is_a_gap_and_its_neighbours_are_read() -> None:
    files = read("kind: Service\napiVersion: v1\n---\nkind: [\n---\nkind: Node\napiVersion: v1\n")
    assert list(files.resources) == ["services", "nodes"]
    [gap] = files.gaps
    assert (gap.call, gap.file, gap.line, gap.column) == ("read", "stdin", 5, 1)
    assert gap.reason == "This is not YAML: while parsing a flow node, did not find expected node content."
    assert gap.remedy


CHART = """\
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
{{- if .Values.annotations }}
  annotations: {}
{{- end }}
"""


def test_an_unrendered_chart_is_a_gap_that_asks_for_rendered_output() -> None:
    files = read(CHART)
    assert files.resources == {}
    [gap] = files.gaps
    assert gap.reason == "It looks like a template that was not rendered."
    assert (gap.line, "eks6check lint --helm CHART" in gap.remedy, "eks6check lint -`" in gap.remedy) == (4, True, True)


@pytest.mark.parametrize("value", ["app-{{ .a }}", "x {{ a }} y"])
def test_a_template_in_plain_text_is_a_gap_beside_the_object(value: str) -> None:
    files = read(f"apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  labels:\n    a: {value}\n")
    assert len(files.resources["services"]) == 1
    [gap] = files.gaps
    assert (gap.reason, gap.line, gap.column) == (
        "Service default/web holds a template that was not rendered.",
        6,
        8,
    )


@pytest.mark.parametrize(
    "line",
    ["a: '{{ x }}'", 'a: "x {{ x }}"', "a: |\n    {{ x }}", "a: >\n    x {{ x }}", "a: b # {{ x }}"],
)
def test_a_template_in_quoted_text_blocks_and_comments_is_fine(line: str) -> None:
    files = read(f"apiVersion: v1\nkind: ConfigMap\ndata:\n  {line}\n")
    assert len(files.resources["config_maps"]) == 1
    assert files.gaps == ()


def test_a_template_in_an_object_that_no_rule_reads_is_no_gap() -> None:
    rule = "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec: {a: b}\nsummary: on {{ $labels.pod }}\n"
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
    assert read(f"{rule}---\n{service}").gaps == ()
    indented = [f"- {text.replace(chr(10), chr(10) + '  ').rstrip()}\n" for text in (rule, service)]
    both = read(f"apiVersion: v1\nkind: List\nitems:\n{''.join(indented)}")
    assert (both.counts["resources"], both.gaps) == (2, ())


def test_a_key_that_stands_twice_is_told_and_leaves_nothing_unknown() -> None:
    files = read("apiVersion: v1\nkind: Service\nspec:\n  type: ClusterIP\n  type: LoadBalancer\n---\na: 1\na: 2\n")
    assert files.gaps == ()
    assert files.resources["services"][0].get("spec", "type") == "LoadBalancer"
    reason = "The key type stands twice; the last one counts, as kubectl reads it."
    assert files.notes == (Gap("read", reason, "Keep one of them.", "stdin", 5, 3),)


@pytest.mark.parametrize(
    ("data", "reason", "line"),
    [
        (b"\0GITCRYPT\0\x12\xff", "The file is encrypted with git-crypt.", 0),
        (b"kind: a\nname: \xff\n", "The file is not UTF-8 text.", 2),
        (b"\xff\xfea", "The file is not UTF-16-LE text.", 1),
        (b"\x7fELF\0\0", "The file is binary.", 0),
    ],
)
def test_a_file_that_is_no_text_is_a_gap(data: bytes, reason: str, line: int) -> None:
    files = read(data)
    assert [(gap.reason, gap.file, gap.line) for gap in files.gaps] == [(reason, "stdin", line)]
    assert all(gap.remedy for gap in files.gaps)


def test_a_file_that_cannot_be_opened_is_a_gap_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text("apiVersion: v1\nkind: Service\n", encoding="utf-8")
    Path("gone.yaml").symlink_to("nowhere.yaml")
    files = manifests.read(["."])
    assert [(gap.reason, gap.file) for gap in files.gaps] == [
        ("The file cannot be read: No such file or directory.", "gone.yaml")
    ]
    assert (len(files.resources["services"]), files.counts["files"]) == (1, 2)


def test_a_folder_that_may_be_listed_and_not_entered_is_a_gap_of_its_own() -> None:
    gap = gaps.unreadable("k8s", IsADirectoryError(21, "Is a directory"))
    assert (gap.file, gap.reason) == ("k8s", "The folder cannot be entered.")


@pytest.mark.parametrize(
    ("content", "gaps"),
    [('{"compilerOptions": {}, // comment\n}', 0), ('{"apiVersion": "v1" // comment\n}', 1), ('{"a": {{ .b }}}', 1)],
)
def test_json_that_cannot_be_a_manifest_is_not_parsed(tmp_path: Path, content: str, gaps: int) -> None:
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    files = manifests.read([str(tmp_path)])
    assert (len(files.gaps), files.counts["documents"]) == (gaps, 1)


def test_comments_and_their_misspellings_come_along() -> None:
    files = read("# eks6check: ignore[SVC001] why\nkind: Service\n# eks6check: ignroe[x]\n")
    assert [each.rules for each in files.suppressions] == [("SVC001",)]
    assert [(each.line, each.call) for each in files.notes] == [(3, "read")]


def test_paths_that_name_nothing_end_the_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        manifests.read([str(tmp_path / "nowhere")])
    with pytest.raises(NothingCheckedError):
        manifests.read([str(tmp_path)])


def test_every_section_but_the_live_ones_has_a_collector_and_each_tells_all_gaps() -> None:
    files = read("apiVersion: v1\nkind: Service\n---\na: [\n")
    facts = collect([(files, COLLECTORS)], KINDS)
    assert set(facts) == set(KINDS) - {"pods", "webhooks"}
    assert all(section.gaps == files.gaps for section in facts.values())
    assert [len(section.items) for name, section in facts.items() if section.items] == [1]


def test_a_text_in_an_embedded_file_is_found_at_its_line() -> None:
    [config_map] = read(
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  nginx.conf: |\n    server {\n      listen 80;\n    }\n"
    ).resources["config_maps"]
    assert config_map.origin.mark
    assert config_map.origin.mark(("data", "nginx.conf"), "listen", 0) == (6, 7)


def test_reading_files_loads_no_client_and_little_else() -> None:
    heavy = {"boto3", "botocore", "kubernetes", "rich", "typer", "pydantic", "pathspec", "jsonschema", "asyncio"}
    program = "import sys, eks6check.sources.manifests; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert not heavy & set(loaded)


SIGNS = st.sampled_from("abk:i #'\"[]{}&*<|>-\n\r\t\\%,!?.é\0~1")
PIECES = st.sampled_from(
    ["apiVersion: v1\n", "kind: Service\n", "kind: List\n", "items:\n", "- ", "---\n", "{{ x }}", "&a ", "*a "]
)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.lists(PIECES | SIGNS, max_size=30).map(lambda parts: "".join(parts).encode()))
def test_arbitrary_bytes_never_raise_and_every_place_can_be_asked_for(data: bytes) -> None:
    files = read(data)
    for resource in (each for found in files.resources.values() for each in found):
        assert marked(resource) >= (1, 1)
    assert files.counts["documents"] >= files.counts["other_documents"]


def marked(resource: Resource, *path: str) -> tuple[int, int]:
    place = locate(resource, path)
    return place.line, place.column


def is_bare(path: Path) -> bool:
    return all(line.startswith(("#", "---")) or not line.strip() for line in path.read_text("utf-8").splitlines())


CORPUS = Path(os.environ.get("EKS6CHECK_CORPUS", ""))


@pytest.mark.skipif(not CORPUS.name or not CORPUS.is_dir(), reason="EKS6CHECK_CORPUS names no folder of manifests")
def test_of_a_real_corpus_every_file_is_read_or_named_in_a_gap() -> None:
    whole = manifests.read([str(CORPUS)])
    assert whole.counts["resources"] > 0
    for path in sorted(CORPUS.rglob("*")):
        if path.suffix in (".yaml", ".yml", ".json") and path.is_file():
            alone = manifests.read([str(path)])
            assert alone.counts["documents"] or alone.gaps or is_bare(path)
            for resource in (each for found in alone.resources.values() for each in found):
                assert marked(resource) >= (1, 1)
                assert marked(resource, "kind") > (0, 1)
