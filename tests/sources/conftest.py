"""What tests of several sources share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from eks6check.sources.manifests import yamlbuild, yamldoc


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def _either_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(yaml, request.param):
        pytest.skip("PyYAML was built without libyaml")
    monkeypatch.setattr(yamlbuild, "PARSER", getattr(yaml, request.param))
    yamldoc.placed.cache_clear()
    yield
    yamldoc.placed.cache_clear()
