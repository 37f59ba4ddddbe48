import math

import pytest

from autotl.errors import TaskError
from autotl.task.yaml_reader import MAX_BYTES, MAX_DEPTH, as_path, as_text, parse_document, read_yaml, write_yaml


def value_of(text: str):
    return parse_document(text.encode(), file="t.yaml").value


def mistakes_of(text: str | bytes) -> str:
    content = text if isinstance(text, bytes) else text.encode()
    try:
        return "\n".join(words for _, words in parse_document(content, file="t.yaml").mistakes)
    except TaskError as error:
        return str(error)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1e-5", 1e-5),
        ("1.0e-4", 1e-4),
        (".5", 0.5),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("-3", -3),
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("2026-01-02", "2026-01-02"),
        ("12:30:00", "12:30:00"),
        ("1_000", "1_000"),
        ("'1e5'", "1e5"),
        ("-.INF", -math.inf),
        ("<<", "<<"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_scalars_are_those_of_yaml_1_2(written, value):
    read = value_of(f"key: {written}")["key"]
    assert read == value
    assert type(read) is type(value)


def test_every_value_and_key_keeps_its_place():
    document = parse_document(b"a:\n  b: [1, {c: 2}]\n", file="t.yaml")
    assert document.where("a.b[1].c") == "t.yaml:2:14: a.b[1].c"
    assert document.where_key("a.b") == "t.yaml:2:3: a"
    assert document.where(("a", "b", 0)) == "t.yaml:2:7: a.b[0]"


def test_a_place_that_is_not_written_is_the_nearest_one_around_it():
    document = parse_document(b"a:\n  b: 1\n", file="t.yaml")
    assert document.where("a.c.d") == "t.yaml:2:3: a.c.d"
    assert document.where("z") == "t.yaml:1:1: z"


def test_paths_and_their_words_are_inverse():
    for words in ("a", "a.b[1]", "a[0][2].c"):
        assert as_text(as_path(words)) == words


def test_equal_keys_aliases_and_tags_are_refused_all_at_once():
    words = mistakes_of("a: &x 1\nb: *x\nc: !!python/object/apply:os.system ['true']\na: 2\n")
    assert words.splitlines() == [
        "t.yaml:2:4: the alias '*x' is refused. Write the value out.",
        "t.yaml:3:4: the tag '!!python/object/apply:os.system' is refused. Write a plain value.",
        "t.yaml:4:1: 'a' is written twice, first in line 1. Keep one.",
    ]


def test_an_alias_bomb_is_never_unfolded():
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12))
    words = mistakes_of(f"l0: &l0 [x]\n{levels}\n")
    assert words.count("alias") == 99


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "t.yaml: is empty."),
        ("# only a comment", "t.yaml: is empty."),
        ("a: [1,\n  b: }", "t.yaml:2:6: not valid YAML"),
        ("a: b: c", "t.yaml:1:5: not valid YAML: mapping values are not allowed here."),
        ("\ta: 1", "t.yaml:1:1: not valid YAML"),
        (b"a: 1\nb: \xff", "t.yaml:2: byte 0xff is not UTF-8."),
        (b"a: 1\nb: \x07", "t.yaml:2: holds the character #x0007"),
        ("a: 1\n---\nb: 2", "one document a file"),
        ("{[1]: 2}", "t.yaml:1:2: a key must be a plain word."),
        ("[" * (MAX_DEPTH + 5), "nested more than 20 levels deep"),
        ("{" * 100_000, "nested more than 20 levels deep"),
        ("a: " + "x" * MAX_BYTES, "larger than 1,000,000 bytes"),
    ],
)
def test_what_is_no_yaml_is_refused_in_one_line_with_its_place(text, words):
    said = mistakes_of(text)
    assert words in said
    assert "\n" not in said


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(TaskError, match=r"nowhere\.yaml: there is no such file") as caught:
        read_yaml(tmp_path / "nowhere.yaml")
    assert caught.value.exit_code == 3
    with pytest.raises(TaskError, match="this is a folder"):
        read_yaml(tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    (tmp_path / "t.yaml").write_bytes(b"\xef\xbb\xbfa: 1")
    assert read_yaml(tmp_path / "t.yaml").value == {"a": 1}


def test_what_is_written_is_read_back_equal():
    value = {
        "a": "1e5", "b": "012", "c": "NO", "d": None, "e": 1e-5, "f": True, "g": "true", "h": ["~", "", "="],
        "i": "a: b\nc", "j": "ünï 😀", "k": {"l": [1, 2.5]},
    }  # fmt: skip
    assert value_of(write_yaml(value)) == value


def test_json_is_read_too():
    assert value_of('[{"backbone": "MobileNetV2", "unfrozen_layers": 4}]') == [
        {"backbone": "MobileNetV2", "unfrozen_layers": 4}
    ]
