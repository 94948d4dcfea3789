"""One plan for all tests that look at it."""

from __future__ import annotations

import pytest

from tests.deploy.planning import Changes, overrides, plan
from tests.deploy.terraforming import copied, terraform


@pytest.fixture(scope="session")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Changes:
    """The changes that Terraform plans for a new deployment."""
    return plan(terraform(copied(tmp_path_factory.mktemp("planned"))), overrides())
