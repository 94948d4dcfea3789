"""What the suites of metadata share: a store that is opened anew for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sopor_server.ports.metadata import MetadataStore
from tests.support.stored import Household

Opener = Callable[[], MetadataStore]
ALL = 2**40


class Suite:
    """Subclasses give the fixture `opener`: something picklable that opens the same store anew."""

    @pytest.fixture
    def store(self, opener: Opener) -> Iterator[MetadataStore]:
        store = opener()
        yield store
        store.close()

    @pytest.fixture
    def home(self, store: MetadataStore) -> Household:
        return Household.found(store)
