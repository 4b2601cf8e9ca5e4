"""Places in one order: the number of a place along a Z-order curve, and the ranges of numbers that cover a box.

A B-tree on that number finds what lies in a box by a few ranges, gives it in a stable order that pages can follow, and
costs a write far less than an index of two dimensions.
"""

import heapq

from gateway.services.ports.catalogue import Box

BITS = 26
"""Of each coordinate; a cell is under 0.6 m wide."""

_SIDE = 1 << BITS
_SPREAD = ((16, 0x0000FFFF0000FFFF), (8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F), (2, 0x3333333333333333))


def cell(longitude: float, latitude: float) -> int:
    """Numbers a place."""
    return _spread(_step(longitude, 180.0)) | _spread(_step(latitude, 90.0)) << 1


def ranges(box: Box, most: int = 64) -> list[tuple[int, int]]:
    """Covers a box with ranges of cells, first and last included, in rising order.

    Args:
        most: Squares that are put together to ranges; more of them cover less beside the box.
    """
    wanted = [
        (_step(part.west, 180.0), _step(part.south, 90.0), _step(part.east, 180.0), _step(part.north, 90.0))
        for part in box.parts()
    ]
    # Squares, the largest first: (-bits, x, y) is the square of that side whose corner is (x, y).
    open_: list[tuple[int, int, int]] = [(-BITS, 0, 0)]
    closed: list[tuple[int, int, int]] = []
    while open_ and len(open_) + len(closed) < most:
        bits, x, y = heapq.heappop(open_)
        half = 1 << (-bits - 1) if bits else 0
        for corner in ((x, y), (x + half, y), (x, y + half), (x + half, y + half)):
            _file(wanted, (bits + 1, *corner), open_, closed)
    return _merged([*open_, *closed])


def _file(
    wanted: list[tuple[int, int, int, int]],
    square: tuple[int, int, int],
    open_: list[tuple[int, int, int]],
    closed: list[tuple[int, int, int]],
) -> None:
    """Puts a square with those that are looked at closer, with those that are needed whole, or away."""
    bits, left, low = square
    last = (1 << -bits) - 1
    right, high = left + last, low + last
    met = [one for one in wanted if one[0] <= right and left <= one[2] and one[1] <= high and low <= one[3]]
    if not met:
        return
    whole = any(one[0] <= left and right <= one[2] and one[1] <= low and high <= one[3] for one in met)
    if whole or bits == 0:
        closed.append(square)
    else:
        heapq.heappush(open_, square)


def _merged(squares: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for bits, x, y in sorted(squares, key=lambda square: _spread(square[1]) | _spread(square[2]) << 1):
        first = _spread(x) | _spread(y) << 1
        last = first + (1 << (-2 * bits)) - 1
        if merged and merged[-1][1] + 1 == first:
            merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return merged


def _step(degrees: float, most: float) -> int:
    return min(max(int((degrees + most) / (2 * most) * _SIDE), 0), _SIDE - 1)


def _spread(number: int) -> int:
    """Puts a zero before each bit."""
    for shift, mask in _SPREAD:
        number = (number | number << shift) & mask
    return (number | number << 1) & 0x5555555555555555
