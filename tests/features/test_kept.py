from autotl.features.kept import Kept


def test_the_one_unused_for_longest_goes_first_and_reading_is_using():
    kept: Kept[str, int] = Kept(2)
    kept["a"], kept["b"] = 1, 2
    assert kept["a"] == 1
    kept["c"] = 3
    assert list(kept) == ["a", "c"]
    assert list(kept.values()) == [1, 3]


def test_a_new_value_of_a_key_takes_nobody_s_place():
    kept: Kept[str, int] = Kept(2)
    kept["a"], kept["b"] = 1, 2
    kept["a"] = 3
    assert list(kept.values()) == [2, 3]


def test_room_is_made_for_one_more_and_told():
    kept: Kept[str, int] = Kept(2)
    assert kept.make_room() == []
    kept["a"], kept["b"] = 1, 2
    assert kept.make_room() == [1]
    kept["c"] = 3
    kept.drop(lambda value: value > 2)
    assert list(kept) == ["b"]
