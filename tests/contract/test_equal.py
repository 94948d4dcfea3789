"""Every adapter of a port is held to the very same tests."""

from __future__ import annotations

import pytest

from tests.contract.blob_suite import BlobContract
from tests.contract.metadata_suite import MetadataContract
from tests.contract.test_files import TestFileBlobStore as Files
from tests.contract.test_firestore import TestFirestoreMetadataStore as Firestore
from tests.contract.test_gcs import TestGcsBlobStore as Gcs
from tests.contract.test_sqlite import TestSqliteMetadataStore as Sqlite


def promises_of(suite: type) -> dict[str, object]:
    return {name: getattr(suite, name) for name in dir(suite) if name.startswith("test_")}


@pytest.mark.parametrize(
    ("contract", "adapters"),
    [(MetadataContract, (Sqlite, Firestore)), (BlobContract, (Files, Gcs))],
)
def test_no_adapter_leaves_out_or_changes_a_test(
    contract: type, adapters: tuple[type, ...]
) -> None:
    promised = promises_of(contract)
    assert len(promised) > 15
    for adapter in adapters:
        assert promises_of(adapter) == promised
        assert not getattr(adapter, "pytestmark", [])
