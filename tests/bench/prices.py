"""Google's list prices in US dollars for us-central1, without free amounts.

Sources: the pricing pages of Cloud Run, Firestore and Cloud Storage, as known on `AS_OF`.
"""

from __future__ import annotations

from tests.support.weather import Billed

AS_OF = "2026-11-24"

REQUEST = 0.40 / 1_000_000
VCPU_SECOND = 0.000024
GIB_SECOND = 0.0000025
DOCUMENT_READ = 0.03 / 100_000
DOCUMENT_WRITE = 0.09 / 100_000
DOCUMENT_DELETE = 0.01 / 100_000
OBJECT_CLASS_A = 0.05 / 10_000
OBJECT_CLASS_B = 0.004 / 10_000

BILLED_STEP_SECONDS = 0.1
"""Time is rounded up to this for each request that is alone on its instance."""


def storage_dollars(billed: Billed) -> dict[str, float]:
    """Returns what operations on documents and objects cost."""
    return {
        "documents read": billed.reads * DOCUMENT_READ,
        "documents written": billed.writes * DOCUMENT_WRITE,
        "documents deleted": billed.deletes * DOCUMENT_DELETE,
        "objects, class A": billed.class_a * OBJECT_CLASS_A,
        "objects, class B": billed.class_b * OBJECT_CLASS_B,
    }


def function_dollars(requests: int, seconds: float) -> dict[str, float]:
    """Returns what requests cost that each take an instance (1 vCPU, 1 GiB) for ``seconds``."""
    return {
        "requests": requests * REQUEST,
        "vCPU and memory": requests * seconds * (VCPU_SECOND + GIB_SECOND),
    }
