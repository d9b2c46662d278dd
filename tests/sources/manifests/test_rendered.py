"""Charts and kustomizations, rendered by the real programs, and findings led back to the files behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import whole
from hypothesis import given
from hypothesis import strategies as st

from eks6check.facts import Gap
from eks6check.sources.manifests import charts, kustomizations, renderers
from eks6check.sources.manifests.renderers import Part

PROGRAMS = Path(os.environ.get("EKS6CHECK_RENDERERS", ""))

pytestmark = pytest.mark.skipif(
    not PROGRAMS.name or not PROGRAMS.is_dir(), reason="EKS6CHECK_RENDERERS names no folder with helm and kubectl"
)

SERVICE = """\
{{- if .Values.service.enabled }}
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  # eks6check: ignore[SVC002] the other cluster has both families
  ipFamilyPolicy: RequireDualStack
  type: {{ .Values.service.type }}
  ports:
    {{- range .Values.service.ports }}
    - port: {{ . }}
    {{- end }}
{{- end }}
"""

HOOK = """\
apiVersion: v1
kind: Service
metadata:
  name: probe
  annotations: {helm.sh/hook: test}
spec: {type: LoadBalancer, ports: [{port: 80}]}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with the programs on the path."""
    monkeypatch.setenv("PATH", f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, content: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(content, encoding="utf-8")


def write_chart(folder: str = "charts/web", more: str = "") -> None:
    write(f"{folder}/Chart.yaml", f"apiVersion: v2\nname: shop\nversion: 0.1.0\n{more}")
    write(f"{folder}/values.yaml", "service: {enabled: true, type: ClusterIP, ports: [80, 443]}\n")
    write(f"{folder}/templates/service.yaml", SERVICE)
    write(f"{folder}/templates/tests/probe.yaml", HOOK)


def found(*arguments: str) -> list[tuple[str, str, int | None, int | None]]:
    report = whole.eks6check("lint", *arguments, "--format", "json").report
    places = ((each["rule"], each["locations"][0]) for each in report["findings"])
    return [(rule, place["file"], place["line"], place["column"]) for rule, place in places]


def test_a_finding_in_a_chart_stands_in_its_template() -> None:
    write_chart()
    write("prod.yaml", "service: {type: LoadBalancer}\n")
    assert found("--helm", "charts/web") == []
    assert found("--helm", "charts/web", "--values", "prod.yaml") == [
        ("LBC003", "charts/web/templates/service.yaml", 9, 3)
    ]


def test_a_comment_in_a_template_silences_what_it_renders_to() -> None:
    write_chart()
    report = whole.eks6check("lint", "--helm", "charts/web", "--format", "json").report
    assert [(each["rule"]) for each in report["suppressed"]] == ["SVC002"]


def test_a_comment_in_a_helper_speaks_of_its_own_document_and_of_no_other() -> None:
    write_chart()
    write("charts/web/templates/service.yaml", '{{ include "all" . }}')
    one = "apiVersion: v1\nkind: Service\nmetadata: {name: one}\nspec:\n  type: LoadBalancer"
    both = f"{one}  # eks6check: ignore[LBC003] internal tool\n---\n{one.replace('one', 'two')}"
    write("charts/web/templates/_all.tpl", f'{{{{ define "all" }}}}{both}\n{{{{ end }}}}')
    done = whole.eks6check("lint", "--helm", "charts/web", "--format", "json")
    assert [each["subject"]["id"] for each in done.report["findings"]] == ["v1/Service/default/two"]
    assert [each["subject"]["id"] for each in done.report["suppressed"]] == ["v1/Service/default/one"]
    place = done.report["findings"][0]["locations"][0]
    assert (place["file"], place["line"]) == ("charts/web/templates/service.yaml", 1)


def test_a_comment_that_stands_in_no_line_of_a_file_is_told_without_one() -> None:
    write_chart("parts/shop")
    write(
        "parts/shop/templates/service.yaml",
        HOOK.replace("helm.sh/hook", "a") + "# eks6check: ignore[POL001] nothing there\n",
    )
    renderers.run([f"{PROGRAMS}/helm", "package", "parts/shop"])
    shown = whole.eks6check("lint", "--helm", "shop-0.1.0.tgz").out
    assert "shop/templates/service.yaml: ignore[POL001]" in shown
    assert ":0" not in shown


def test_a_subchart_by_another_name_stands_in_its_folder() -> None:
    write_chart("charts/big", "dependencies: [{name: shop, alias: front, version: 0.1.0}]\n")
    write_chart("charts/big/charts/shop")
    write("prod.yaml", "front: {service: {type: LoadBalancer}}\n")
    assert found("--helm", "charts/big", "--values", "prod.yaml") == [
        ("LBC003", "charts/big/charts/shop/templates/service.yaml", 9, 3)
    ]


def test_a_folder_beside_an_archive_is_not_taken_for_its_chart() -> None:
    write_chart("shop")
    write("prod.yaml", "service: {type: LoadBalancer}\n")
    renderers.run([f"{PROGRAMS}/helm", "package", "shop"])
    assert found("--helm", "shop-0.1.0.tgz", "--values", "prod.yaml")[0][2] is None


def test_the_definitions_that_a_chart_brings_are_judged_as_well() -> None:
    write_chart()
    conversion = "{strategy: Webhook, webhook: {clientConfig: {url: 'https://172.20.0.1'}}}"
    write(
        "charts/web/crds/a.yaml",
        f"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: a}}\n"
        f"spec:\n  conversion: {conversion}\n",
    )
    assert found("--helm", "charts/web") == [("ADR006", "charts/web/crds/a.yaml", 5, 74)]


def test_every_document_of_a_file_of_definitions_is_judged() -> None:
    write_chart()
    conversion = "{strategy: Webhook, webhook: {clientConfig: {url: 'https://172.20.0.1'}}}"
    head = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name"
    both = "\n---\n".join(f"{head}: {name}\nspec:\n  conversion: {conversion}" for name in ("a", "b"))
    write("charts/web/crds/all.yaml", f"---\n{both}\n")
    assert found("--helm", "charts/web") == [
        ("ADR006", "charts/web/crds/all.yaml", 7, 74),
        ("ADR006", "charts/web/crds/all.yaml", 14, 74),
    ]


def test_a_comment_in_one_of_two_archives_of_a_chart_says_nothing_of_the_other() -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {ipFamilies: [IPv4]}\n"
    for name, comment in (("one", "# eks6check: ignore[SVC001] it stays\n"), ("two", "")):
        write_chart(f"{name}/shop")
        write(f"{name}/shop/templates/service.yaml", comment + service % name)
        renderers.run([f"{PROGRAMS}/helm", "package", f"{name}/shop", "--destination", name])
    done = whole.eks6check("lint", "--helm", "one/shop-0.1.0.tgz", "--helm", "two/shop-0.1.0.tgz", "--format", "json")
    assert [each["subject"]["id"] for each in done.report["findings"]] == ["v1/Service/default/two"]


def test_a_file_of_values_that_is_not_there_is_usage() -> None:
    write_chart()
    done = whole.eks6check("lint", "--helm", "charts/web", "--values", "nosuch.yaml")
    assert (done.code, done.err.splitlines()[0]) == (2, "error: There is no file 'nosuch.yaml'.")


def test_files_charts_and_kustomizations_are_judged_together() -> None:
    write_chart()
    write("k8s/web.yaml", HOOK)
    write("built/kustomization.yaml", "resources: [web.yaml]\nnameSuffix: -two\n")
    write("built/web.yaml", HOOK)
    files = {file for _, file, _, _ in found("k8s", "--helm", "charts/web", "--kustomize", "built")}
    assert files == {"k8s/web.yaml", "built/web.yaml"}


def test_a_subchart_that_is_packed_has_a_name_and_no_line(folder: Path) -> None:
    write_chart("parts/shop")
    renderers.run([f"{PROGRAMS}/helm", "package", "parts/shop", "--destination", "charts/big/charts"])
    write_chart("charts/big", "dependencies: [{name: shop, version: 0.1.0}]\n")
    write("prod.yaml", "shop: {service: {type: LoadBalancer}}\n")
    assert found("--helm", "charts/big", "--values", "prod.yaml") == [
        ("LBC003", "charts/big/charts/shop/templates/service.yaml", None, None)
    ]
    assert found("--helm", str(folder / "charts/big"), "--values", "prod.yaml")[0][1].startswith("charts/big/charts/")


def test_a_chart_in_an_archive_is_judged_by_its_own_names() -> None:
    write_chart()
    write("prod.yaml", "service: {type: LoadBalancer}\n")
    renderers.run([f"{PROGRAMS}/helm", "package", "charts/web"])
    assert found("--helm", "shop-0.1.0.tgz", "--values", "prod.yaml") == [
        ("LBC003", "shop/templates/service.yaml", None, None)
    ]


def test_sarif_places_a_finding_of_a_chart_in_its_template() -> None:
    write_chart()
    write("prod.yaml", "service: {type: LoadBalancer}\n")
    done = whole.eks6check("lint", "--helm", "charts/web", "--values", "prod.yaml", "--format", "sarif", "--root", ".")
    (result,) = [each for each in done.report["runs"][0]["results"] if not each.get("suppressions")]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "charts/web/templates/service.yaml"
    assert place["region"]["startLine"] == 9


def gaps(parts: Iterator[Part | Gap]) -> list[Gap]:
    return [each for each in parts if isinstance(each, Gap)]


def test_a_chart_that_helm_refuses_is_a_gap_in_helms_words() -> None:
    write_chart()
    write("charts/web/templates/service.yaml", "a: {{ .Values.service.type | required2 }}\n")
    (gap,) = gaps(charts.chart("charts/web"))
    assert gap.file == "charts/web"
    assert 'function "required2" not defined' in gap.reason
    assert gap.remedy == "Run `helm template web charts/web --skip-tests --include-crds`."


def test_a_chart_without_its_dependencies_says_how_to_get_them() -> None:
    write_chart(more="dependencies: [{name: redis, version: 1.0.0, repository: 'https://charts.example.com'}]\n")
    (gap,) = gaps(charts.chart("charts/web"))
    assert "redis" in gap.reason
    assert gap.remedy == "Run `helm dependency build charts/web`."


def test_what_does_not_render_takes_nothing_else_with_it() -> None:
    write("k8s/web.yaml", HOOK)
    write("built/kustomization.yaml", "resources: [missing.yaml]\n")
    done = whole.eks6check("lint", "k8s", "--helm", "nowhere", "--kustomize", "built", "--format", "json")
    assert {each["rule"] for each in done.report["findings"]} == {"LBC003"}
    assert [each["file"] for each in done.report["gaps"]] == ["nowhere", "built"]
    assert all("cannot be rendered" in each["reason"] for each in done.report["gaps"])
    assert done.code == 1
    assert whole.eks6check("lint", "--helm", "nowhere").code == 3


@pytest.mark.parametrize("program", ["kustomize", "kubectl"])
def test_a_built_object_is_judged_as_built_in_the_place_it_was_built_from(
    program: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "bin").mkdir()
    (folder / "bin" / program).symlink_to(PROGRAMS / program)
    monkeypatch.setenv("PATH", str(folder / "bin"))
    write("base/kustomization.yaml", "resources: [all.yaml]\n")
    write(
        "base/all.yaml",
        "kind: ConfigMap\napiVersion: v1\nmetadata: {name: web}\n---\n" + HOOK.replace("LoadB", "NodeP"),
    )
    patch = "kind: Service\napiVersion: v1\nmetadata: {name: probe}\nspec: {type: LoadBalancer}\n"
    write("prod/kustomization.yaml", "resources: [../base]\nnamePrefix: p-\npatches: [{path: patch.yaml}]\n")
    write("prod/patch.yaml", patch)
    report = whole.eks6check("lint", "--kustomize", "prod", "--format", "json").report
    (finding,) = report["findings"]
    assert finding["subject"]["id"] == "v1/Service/default/p-probe"
    assert [finding["locations"][0][key] for key in ("file", "line")] == ["base/all.yaml", 10]
    assert report["gaps"] == []


def test_what_a_generator_makes_stands_in_the_kustomization() -> None:
    write("app/nginx.conf", "server { listen 80; }\n")
    write("app/kustomization.yaml", "configMapGenerator: [{name: conf, files: [nginx.conf]}]\nresources: [web.yaml]\n")
    mount = "volumes: [{name: c, configMap: {name: conf}}]"
    pod = (
        f"containers: [{{name: n, image: nginx, ports: [{{containerPort: 80}}], "
        f"readinessProbe: {{tcpSocket: {{port: 80}}}}, volumeMounts: [{{name: c, mountPath: /etc/nginx}}]}}], {mount}"
    )
    write(
        "app/web.yaml",
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec: {{template: {{spec: {{{pod}}}}}}}\n",
    )
    assert found("--kustomize", "app") == [("APP002", "app/kustomization.yaml", None, None)]


def test_what_kustomize_writes_for_us_is_taken_out_again() -> None:
    write("app/web.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a, annotations: {x: y}}\n---\n" + HOOK)
    write("app/kustomization.yaml", "resources: [web.yaml]\n")
    values = [each.document.value for each in kustomizations.kustomization("app") if isinstance(each, Part)]
    assert [each["metadata"].get("annotations") for each in values] == [{"x": "y"}, {"helm.sh/hook": "test"}]


@pytest.mark.parametrize("option", ["--helm", "--kustomize"])
def test_without_the_program_there_is_one_clear_line(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    done = whole.eks6check("lint", option, "charts/web")
    assert done.code == 2
    assert done.err.startswith(f"error: {option} needs ")
    assert "eks6check lint -" in done.err.splitlines()[1]


@given(st.text(max_size=80))
def test_a_releases_name_is_one_that_helm_takes(path: str) -> None:
    name = charts.release(path)
    assert 0 < len(name) <= charts.LONGEST_RELEASE
    assert all(letter.isascii() and (letter.isalnum() or letter == "-") for letter in name)
    assert name[0] != "-" != name[-1]
