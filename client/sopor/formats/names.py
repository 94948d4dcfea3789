"""The names of all formats, for who remembers files by them without reading any."""

FORMAT_NAMES = (
    "insomnia.v5.yaml",
    "insomnia.v4.yaml",
    "insomnia.v4.json",
    "documents.json",
    "documents.yaml",
    "openapi",
)
