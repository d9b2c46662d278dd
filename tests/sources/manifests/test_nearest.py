"""From a rendered line back to the line of the template, and from a built object to the document it was built from."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from eks6check.sources.manifests import nearest
from eks6check.sources.manifests.yamldoc import documents

TEMPLATE = """\
{{- if .Values.enabled }}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "web.name" . }}
  annotations:
    {{- toYaml .Values.annotations | nindent 4 }}
spec:
  type: {{ .Values.type }}
  ports:
    {{- range .Values.ports }}
    - port: {{ . }}
      protocol: TCP
    {{- end }}
---
kind: ServiceAccount
metadata:
  name: {{ .Release.Name }}
{{- end }}
"""

RENDERED = """\
---
# Source: web/templates/service.yaml
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations:
    a.example.com/b: c
spec:
  type: LoadBalancer
  ports:
    - port: 80
      protocol: TCP
    - port: 443
      protocol: TCP
"""


def led(rendered: str, template: str, kind: str = "Service") -> dict[str, str]:
    lines, source = rendered.split("\n"), ["", *template.split("\n")]
    numbers = nearest.numbers(lines, source[1:], {"kind": kind})
    return {line.strip(): source[number].strip() for line, number in zip(lines, numbers, strict=True)}


def test_a_line_comes_from_the_line_with_its_key() -> None:
    found = led(RENDERED, TEMPLATE)
    assert found["type: LoadBalancer"] == "type: {{ .Values.type }}"
    assert found["name: web"] == 'name: {{ include "web.name" . }}'


def test_every_round_of_a_loop_comes_from_the_one_line_in_it() -> None:
    found = led(RENDERED, TEMPLATE)
    assert found["- port: 80"] == found["- port: 443"] == "- port: {{ . }}"
    assert found["protocol: TCP"] == "protocol: TCP"


def test_what_has_no_line_of_its_own_comes_from_what_holds_it() -> None:
    assert led(RENDERED, TEMPLATE)["a.example.com/b: c"] == "annotations:"
    assert led(RENDERED, TEMPLATE)["# Source: web/templates/service.yaml"] == ""


def test_only_the_part_of_that_kind_is_looked_into() -> None:
    numbers = nearest.numbers(
        ["kind: ServiceAccount", "metadata:", "  name: web"], TEMPLATE.split("\n"), {"kind": "ServiceAccount"}
    )
    assert numbers == [16, 17, 18]


def test_as_many_alike_on_both_sides_are_one_anothers_in_their_order() -> None:
    source = ["kind: Service", "a:", "  name: {{ .a }}", "b:", "  name: {{ .b }}"]
    assert nearest.numbers(["a:", "  name: x", "b:", "  name: y"], source, {"kind": "Service"}) == [2, 3, 4, 5]


def test_columns_follow_the_indent_of_the_source() -> None:
    rendered, source = ["kind: K", "  type: X", "  a: b c"], ["kind: K", "      type: {{ .t }}", "      a: b c"]
    made = nearest.Source("a.yaml", source, rendered, nearest.numbers(rendered, source, {"kind": "K"}))
    assert [made.place(2, 3), made.place(2, 9), made.place(3, 8)] == [(2, 7), (2, 7), (3, 12)]
    assert [made.place(0), made.place(4), nearest.Source("a.yaml").place(1, 1)] == [(0, 0)] * 3


SEVERAL = ["kind: Service", "metadata:", "  name: {{ .x }}", "---", "kind: Service", "metadata:", "  name: web"]


def test_of_several_documents_of_a_kind_the_one_of_that_name_is_meant() -> None:
    rendered = ["kind: Service", "metadata:", "  name: web"]
    assert nearest.numbers(rendered, SEVERAL, {"kind": "Service", "metadata": {"name": "web"}}) == [5, 6, 7]


def test_where_it_may_be_either_of_two_no_line_is_named() -> None:
    rendered = ["kind: Service", "metadata:", "  name: other"]
    assert nearest.numbers(rendered, SEVERAL, {"kind": "Service", "metadata": {"name": "other"}}) == [0, 0, 0]


@pytest.mark.parametrize("line", ['{{ include "lib.service" . }}', '{{- template "lib.service" . -}}'])
def test_what_a_helper_makes_stands_where_the_helper_is_called(line: str) -> None:
    rendered = ["kind: Service", "metadata:", "  name: web"]
    assert nearest.numbers(rendered, ["kind: Ingress", "---", line], {"kind": "Service"}) == [3, 3, 3]
    assert nearest.numbers(rendered, [line, "---", line], {"kind": "Service"}) == [0, 0, 0]
    assert nearest.numbers(rendered, ["a: b"], {"kind": "Service"}) == [0, 0, 0]


TEXT = st.lists(
    st.sampled_from(["a:", "  b: 1", "- b: {{ x }}", "---", "kind: K", "", "#", "{{ include }}"]), max_size=12
)


@given(TEXT, TEXT, st.integers(-1, 14), st.integers(1, 9))
def test_whatever_the_texts_a_place_is_in_the_source_or_nowhere(
    rendered: list[str], source: list[str], line: int, column: int
) -> None:
    found = nearest.numbers(rendered, source, {"kind": "K"})
    assert len(found) == len(rendered)
    line, column = nearest.Source("a.yaml", source, rendered, found).place(line, column)
    assert (line == 0) == (column == 0)
    assert 0 <= line <= len(source)


@pytest.mark.parametrize(
    ("name", "expected"), [("web", "web"), ("p-web-admin", "web-admin"), ("p-web-x", "web"), ("other", None)]
)
def test_an_object_was_built_from_the_document_of_its_kind_and_the_longest_part_of_its_name(
    name: str, expected: str | None
) -> None:
    source = "\n---\n".join(
        f"kind: {kind}\nmetadata: {{name: {named}}}" for kind, named in [("Service", "web"), ("Service", "web-admin")]
    )
    found = nearest.origin({"kind": "Service", "metadata": {"name": name}}, documents(f"{source}\n---\nkind: Service"))
    assert (found.value["metadata"]["name"] if found else None) == expected
    assert nearest.origin({"kind": "Ingress", "metadata": {"name": name}}, documents(source)) is None


@pytest.mark.parametrize("value", [None, [], "text", {"metadata": []}, {"kind": 1, "metadata": {"name": {}}}])
def test_odd_objects_come_from_nowhere(value: object) -> None:
    assert nearest.origin(value, documents(yaml.safe_dump(value))) is None
