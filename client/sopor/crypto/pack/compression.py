"""Compresses frames and inflates them within bounds (zstandard, RFC 8878; SPEC section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zstandard

from sopor_core.errors import Layer, VerificationError

if TYPE_CHECKING:
    from sopor.crypto.primitives import Buffer

_LEVEL = 9
# Without a prefix zstd finds more by searching longer; with one it does not.
_LEVEL_ALONE = 11
_MIN_WINDOW_LOG = 10
_MAX_WINDOW_LOG = 25
_MAX_WINDOW_BYTES = 1 << _MAX_WINDOW_LOG


def compress(data: bytes, prefix: bytes = b"") -> bytes:
    """Compresses ``data`` as one zstd frame that may refer to ``prefix``."""
    if not prefix:
        return zstandard.ZstdCompressor(level=_LEVEL_ALONE).compress(data)
    # The window must reach from the end of the data to the start of the prefix; the level's own
    # choice does not, and then a large document compresses as if it had no base.
    window = (len(data) + len(prefix)).bit_length()
    parameters = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL,
        source_size=len(data),
        dict_size=len(prefix),
        window_log=min(max(window, _MIN_WINDOW_LOG), _MAX_WINDOW_LOG),
    )
    compressor = zstandard.ZstdCompressor(
        dict_data=_dictionary(prefix), compression_params=parameters
    )
    return compressor.compress(data)


def inflate(data: Buffer, size: int, prefix: bytes = b"") -> bytes:
    """Inflates one zstd frame that claims ``size`` bytes and holds exactly those.

    Raises:
        VerificationError: layer ``frame``, before anything is allocated if the frame claims another
            size than the caller accepts.
    """
    claimed, window = _claims(data)
    if claimed != size:
        raise VerificationError(Layer.FRAME, f"a frame claims {claimed} bytes, not {size}")
    if window > _MAX_WINDOW_BYTES:
        raise VerificationError(Layer.FRAME, "a frame needs more than 32 MiB to inflate")
    decompressor = zstandard.ZstdDecompressor(
        dict_data=_dictionary(prefix) if prefix else None, max_window_size=_MAX_WINDOW_BYTES
    )
    try:
        inflated = decompressor.decompress(
            data, max_output_size=size, read_across_frames=False, allow_extra_data=False
        )
    except zstandard.ZstdError:
        inflated = b""
    if len(inflated) != size:
        raise VerificationError(Layer.FRAME, "a frame does not inflate to what it claims")
    return inflated


def claimed_size(data: Buffer) -> int:
    """Returns the inflated size that a zstd frame claims; raises VerificationError (``frame``)."""
    return _claims(data)[0]


def _claims(data: Buffer) -> tuple[int, int]:
    try:
        parameters = zstandard.get_frame_parameters(data)
    except zstandard.ZstdError:
        raise VerificationError(Layer.FRAME, "a frame is not zstd") from None
    if parameters.dict_id:
        raise VerificationError(Layer.FRAME, "a frame names a dictionary")
    return parameters.content_size, parameters.window_size


def _dictionary(prefix: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(prefix, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
