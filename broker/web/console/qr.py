"""A text as the dark squares of a QR code, to be drawn within the page: no address, and no file, ever holds it."""

from __future__ import annotations

import segno


def squares(text: str) -> tuple[int, str]:
    """How many squares a side has, and the SVG path that fills the dark ones, each of one unit. Source: ISO/IEC 18004, error correction M."""
    rows = segno.make(text, error="m", micro=False, boost_error=False).matrix
    return len(rows), "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
