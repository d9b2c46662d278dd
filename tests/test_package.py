"""The wheel: it holds the catalogue and the schemas, byte for byte, and works from an empty environment."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_the_catalogue_and_the_schemas_byte_for_byte(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("eks6check/rules.yaml") == (ROOT / "rules.yaml").read_bytes()
        for schema in (ROOT / "eks6check" / "schemas").glob("*.json"):
            assert archive.read(f"eks6check/schemas/{schema.name}") == schema.read_bytes()
        names = archive.namelist()
    assert "eks6check/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "docs/", "benchmarks/"))]


def test_the_unpacked_wheel_lists_and_explains_its_rules_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    for command in (["rules"], ["explain", "SVC001"]):
        shown = subprocess.run(
            [sys.executable, "-m", "eks6check", *command], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert "service-pins-ipv4-family" in shown.stdout


def test_lint_imports_no_client_and_no_validator() -> None:
    program = (
        "import sys; from eks6check.cli import app\n"
        "try: app(['lint', '-'], standalone_mode=False)\n"
        "except SystemExit: pass\n"
        "heavy = {'boto3', 'botocore', 'kubernetes', 'jsonschema', 'pydantic', 'rich.live'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or None)"
    )
    manifest = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
    done = subprocess.run([sys.executable, "-c", program], input=manifest, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
