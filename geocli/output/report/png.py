"""A map as PNG, made of its SVG. The only importer of resvg, which nothing else needs."""

from __future__ import annotations

from geocli.model.errors import UsageError

_WIDTH = 2000  # pixels


def check() -> None:
    """See that there is a converter. Raises ``UsageError``."""
    try:
        import resvg_py  # noqa: F401 (only whether it is there)
    except ImportError:
        raise UsageError("a PNG needs one more package: pip install 'geocli[png]'") from None


def png_of(svg: str) -> bytes:
    """The picture, 2,000 pixels wide. Raises ``UsageError`` when there is no converter."""
    check()
    import resvg_py

    return resvg_py.svg_to_bytes(svg_string=svg, width=_WIDTH)
