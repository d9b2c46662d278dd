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
    numbers = nearest.lines(lines, source[1:], {"kind": kind})
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
    numbers = nearest.lines(
        ["kind: ServiceAccount", "metadata:", "  name: web"], TEMPLATE.split("\n"), {"kind": "ServiceAccount"}
    )
    assert numbers == [16, 17, 18]


def test_as_many_alike_on_both_sides_are_one_anothers_in_their_order() -> None:
    source = ["kind: Service", "a:", "  name: {{ .a }}", "b:", "  name: {{ .b }}"]
    assert nearest.lines(["a:", "  name: x", "b:", "  name: y"], source, {"kind": "Service"}) == [2, 3, 4, 5]


def test_columns_follow_the_indent_of_the_source() -> None:
    rendered, source = "spec:\n  type: X\n  a: b c", ["spec:", "      type: {{ .t }}", "      a: b c"]
    numbers = nearest.lines(rendered.split("\n"), source, {})
    assert nearest.coordinates(rendered, rendered.index("X"), source, numbers) == (2, 7)
    assert nearest.coordinates(rendered, rendered.index("c", 12), source, numbers) == (3, 12)
    assert nearest.coordinates(rendered, 3, [], [0, 0, 0]) == (0, 0)


TEXT = st.lists(
    st.sampled_from(["a:", "  b: 1", "- b: {{ x }}", "  - c:", "---", "kind: K", "", "#", "    d"]), max_size=12
)


@given(TEXT, TEXT, st.data())
def test_whatever_the_texts_a_place_is_in_the_source_or_nowhere(
    rendered: list[str], source: list[str], data: st.DataObject
) -> None:
    numbers = nearest.lines(rendered, source, {"kind": "K"})
    assert len(numbers) == len(rendered)
    assert all(0 <= number <= len(source) for number in numbers)
    whole = "\n".join(rendered)
    line, column = nearest.coordinates(whole, data.draw(st.integers(0, len(whole))), source, numbers)
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
