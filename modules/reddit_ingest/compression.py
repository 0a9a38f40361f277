"""Compressed objects of the landing zone: zstd, and `.zst` behind the name. The library is imported at first use."""

from collections.abc import Callable

ZSTD_SUFFIX = ".zst"
_LEVEL = 1


def zstd_compress() -> Callable[[bytes], bytes]:
    """Return what makes one frame with a checksum of some bytes; not for several threads at once."""
    import zstandard

    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress


def plain(name: str, content: bytes) -> bytes:
    """Return the lines in an object as they were written, whatever its name says of compression.

    The caller has checked the hash of `content`.
    """
    if not name.endswith(ZSTD_SUFFIX):
        return content
    import zstandard

    with zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True) as reader:
        return reader.read()
