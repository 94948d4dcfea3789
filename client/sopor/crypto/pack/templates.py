"""What the compression of small frames and of indexes begins with (SPEC section 7).

A push of one document is mostly what every pack says in the same words. Both sides know these
words, so that they cost nothing. Large frames say them to themselves soon enough, and zstd searches
a large frame worse behind a small prefix than without one.
"""

from __future__ import annotations

from collections.abc import Iterable

MOST_RAW_BYTES = 64 * 1024
"""Frames that inflate to more than this have their bases alone as prefix."""

INDEX = (
    b'{"frames":[{"bases":[],"kinds":"cddd","lengths":[310,1200],"raw":1100,"size":400,"tags":"",'
    b'"zstd":false},{"bases":["",""],"kinds":"cd","lengths":[310,1510],"raw":1820,"size":250,'
    b'"tags":"","zstd":true}],"v":1}'
)
"""The prefix of every index."""

FRAME = (
    b'{"_id":"fld_","_type":"request_group","authentication":{},"created":1700000000000,'
    b'"description":"","environment":{},"environmentPropertyOrder":null,'
    b'"metaSortKey":-1700000000000,"name":"","parentId":"fld_"}'
    b'{"_id":"req_","_type":"request","afterResponseScript":"","authentication":'
    b'{"prefix":"","token":"{{ _.token }}","type":"bearer"},"body":{"mimeType":'
    b'"application/json","text":"{\\n  \\""},"created":1700000000000,"description":"",'
    b'"headers":[{"description":"","id":"pair_","name":"Content-Type","value":"application/json"},'
    b'{"description":"","id":"pair_","name":"User-Agent","value":"insomnia/"}],'
    b'"isPrivate":false,"metaSortKey":-1700000000000,"method":"GET","name":"","parameters":'
    b'[{"description":"","id":"pair_","name":"","value":""}],"parentId":"wrk_",'
    b'"pathParameters":[],"preRequestScript":"","settingDisableRenderRequestBody":false,'
    b'"settingEncodeUrl":true,"settingFollowRedirects":"global","settingRebuildPath":true,'
    b'"settingSendCookies":true,"settingStoreCookies":true,"url":"{{ _.base_url }}/"}'
    b'{"author":{"account":"","name":""},"changes":{"fld_":null,"req_":""},"message":"",'
    b'"parents":[""],"root":"","time":1790000000000,"v":1}{"_id":"req_","_type":"request",'
)
"""The prefix of small frames, before their bases."""


def prefix_of(raw: int, bases: Iterable[bytes]) -> bytes:
    """Returns the prefix of a frame that inflates to ``raw`` bytes and has these bases."""
    return b"".join((FRAME if raw <= MOST_RAW_BYTES else b"", *bases))
