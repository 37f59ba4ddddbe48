"""What fails beside a winner is told in a sentence, and the rest goes on."""

from autotl.errors import DataError
from autotl.production.tries import Tries


def fails(error):
    raise error


def test_what_was_made_is_given_back_and_what_failed_is_told_with_its_reason():
    tries = Tries()
    assert tries.had("the portrait", lambda: 3) == 3
    assert tries.had("how far apart the domains are", lambda: fails(ValueError("a shape\ndoes not fit"))) is None
    assert tries.had("the portrait", lambda: fails(DataError(["no example is left."]))) is None
    assert tries.failed == [
        "How far apart the domains are could not be had: ValueError: a shape.",
        "The portrait could not be had: no example is left.",
    ]


def test_tries_share_nothing():
    Tries().had("the portrait", lambda: fails(ValueError()))
    assert Tries().failed == []
