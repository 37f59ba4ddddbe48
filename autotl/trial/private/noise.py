"""Noise that nobody can subtract again: drawn from a secret key by SHAKE-256, never from the task's seed.

Whoever knows how noise was drawn can take it away, and a task's seed stands in its report. A key of 32 bytes from the
operating system keys an extendable-output function (FIPS 202), whose output cannot be told from chance without it. The
same key and purpose give the same noise: what a kill cut off is done again to the same result, and tells nothing more.

Real numbers on a machine are not real numbers: which of them a sum can be depends on its summands, and noise from a
single draw has given examples away by that (Mironov, CCS 2012). A normal draw here is a sum of four, which leaves an
attacker to search for all of them together (Holohan & Braghin, ESORICS 2021, arXiv:2107.10138). Counts get noise in
whole numbers, sampled exactly (Canonne, Kamath & Steinke, NeurIPS 2020, arXiv:2004.00010): there is no such gap.
"""

import hashlib
import secrets
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

KEY_BYTES = 32
SUMMANDS = 4  # of a normal draw
_MANTISSA = 53  # bits of a uniform draw


def new_key() -> bytes:
    """A key that nobody else has, from the operating system."""
    return secrets.token_bytes(KEY_BYTES)


class SecretDraws:
    """Chance for one purpose, each draw used once.

    Args:
        key: secret; at least `KEY_BYTES` of it.
        purpose: what is drawn for, such as `("training", 3)`; other purposes give independent draws.
    """

    def __init__(self, key: bytes, *purpose: str | int) -> None:
        if len(key) < KEY_BYTES:
            raise ValueError(f"a key of {len(key)} bytes can be guessed; {KEY_BYTES} are needed.")
        named = "\0".join(f"{type(part).__name__}:{part}" for part in purpose).encode()
        self._seed = key + len(named).to_bytes(8, "little") + named
        self._drawn = 0

    def bytes(self, count: int) -> bytes:
        """The next `count` bytes."""
        self._drawn += 1
        return hashlib.shake_256(self._seed + self._drawn.to_bytes(8, "little")).digest(count)

    def uniform(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Numbers between 0 and 1, neither of them included."""
        words = np.frombuffer(self.bytes(8 * int(np.prod(shape))), dtype="<u8") >> np.uint64(64 - _MANTISSA)
        return ((words.astype(np.float64) + 0.5) * 2.0**-_MANTISSA).reshape(shape)

    def normal(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Draws of mean 0 and deviation 1, each the sum of four."""
        from scipy.special import ndtri

        return np.asarray(ndtri(self.uniform((SUMMANDS, *shape))).sum(axis=0) / np.sqrt(SUMMANDS), dtype=np.float64)

    def members(self, rows: int, rate: float) -> NDArray[np.int64]:
        """Poisson sampling: each of so many rows is in with this probability, whatever the others are."""
        return np.arange(rows) if rate >= 1 else np.flatnonzero(self.uniform((rows,)) < rate)

    def below(self, end: int) -> int:
        """A whole number from 0 to below `end`, each alike."""
        size = (end.bit_length() + 7) // 8 + 1
        limit = (256**size // end) * end
        while (number := int.from_bytes(self.bytes(size), "little")) >= limit:
            pass
        return number % end

    def discrete_laplace(self, epsilon: Fraction) -> int:
        """A whole number k with probability proportional to exp(-epsilon |k|), in exact arithmetic.

        Added to a count, which one example changes by one at most, it makes the count epsilon-differentially private
        (Ghosh, Roughgarden & Sundararajan, STOC 2009, arXiv:0811.2841).
        """
        inverse = 1 / Fraction(epsilon)
        scale, divisor = inverse.numerator, inverse.denominator
        while True:
            rest = self.below(scale)
            if not self._happens_with_exp_of_minus(Fraction(rest, scale)):
                continue
            wholes = 0
            while self._happens_with_exp_of_minus(Fraction(1)):
                wholes += 1
            size = (rest + scale * wholes) // divisor
            is_negative = self.below(2) == 1
            if not (is_negative and size == 0):  # 0 would come up twice
                return -size if is_negative else size

    def _happens_with_exp_of_minus(self, exponent: Fraction) -> bool:
        """True with probability exp(-exponent), of an exponent from 0 to 1."""
        place = 1
        while self.below(exponent.denominator * place) < exponent.numerator:
            place += 1
        return place % 2 == 1
