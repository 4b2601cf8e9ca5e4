"""Check digits of contract ids: ISO 15118 (eMI3, "Check Digit Calculation for Contract-IDs") and DIN SPEC 91286.

ISO: a sign's value 0 to 35 is written as 18·q1 + 9·q2 + 3·r1 + r2. Over the fifteen signs, the sums of (q1 q2)·P1ⁱ
modulo 2 and of (r1 r2)·P2ⁱ modulo 3 are zero, i counting from 1; the fifteenth sign is the one that makes them so. It
finds every single wrong sign and every swap of neighbours.

DIN: the digits of the values (two for a letter, A being 10) are weighted with 1, 2, 4, … and summed modulo 11; 10 is
`X`.
"""

_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUE = {sign: value for value, sign in enumerate(_SIGNS)}
_Pair = tuple[int, int]
_Matrix = tuple[_Pair, _Pair]
_P1: _Matrix = ((0, 1), (1, 1))
_P2: _Matrix = ((0, 1), (1, 2))
ISO_LENGTH = 14
"""Signs that an ISO check digit is computed from: country, provider, instance."""
DIN_LENGTH = 11


def _times(pair: _Pair, matrix: _Matrix, modulus: int) -> _Pair:
    (a, b), (c, d) = matrix
    return (pair[0] * a + pair[1] * c) % modulus, (pair[0] * b + pair[1] * d) % modulus


def _weighted(position: int) -> dict[str, tuple[int, int, int, int]]:
    """Gives what each sign adds to the four sums at a position, counted from 1."""
    found = {}
    for sign, value in _VALUE.items():
        q, r = (value // 18, value // 9 % 2), (value // 3 % 3, value % 3)
        for _ in range(position):
            q, r = _times(q, _P1, 2), _times(r, _P2, 3)
        found[sign] = (*q, *r)
    return found


_WEIGHTED = tuple(_weighted(position) for position in range(1, ISO_LENGTH + 1))
_CLOSING = {sums: sign for sign, sums in _weighted(ISO_LENGTH + 1).items()}


def iso(signs: str) -> str:
    """Gives the check digit of fourteen capitals or digits.

    Raises:
        ValueError: There are not fourteen, or others among them.
    """
    _demand(signs, ISO_LENGTH)
    columns = zip(*(weights[sign] for weights, sign in zip(_WEIGHTED, signs, strict=True)), strict=True)
    q1, q2, r1, r2 = (sum(column) for column in columns)
    return _CLOSING[-q1 % 2, -q2 % 2, -r1 % 3, -r2 % 3]


def din(signs: str) -> str:
    """Gives the check digit of eleven capitals or digits.

    Raises:
        ValueError: There are not eleven, or others among them.
    """
    _demand(signs, DIN_LENGTH)
    digits = "".join(str(_VALUE[sign]) for sign in signs)
    return "0123456789X"[sum(int(digit) << place for place, digit in enumerate(digits)) % 11]


def _demand(signs: str, length: int) -> None:
    if len(signs) != length or not _VALUE.keys() >= set(signs):
        raise ValueError(f"{signs[:40]!r} is not {length} capitals and digits")
