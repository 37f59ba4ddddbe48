"""Texts that tokenizers have stumbled over, and a small vocabulary for those who need no real one."""

NASTY = [
    "",
    " \t\r\n ",
    "é ü ñ İ ß Å ﬁ ǆ Σς",
    "e\u0301 u\u0308 n\u0303 cafe\u0301 \u0301 a\u0301\u0323",
    "東京 is 東京都 and カタカナ ひらがな 한국어",
    "great😀 🥰great 👨‍👩‍👧 🇩🇪 ❤️",
    "zero\u200bwidth \u200djoiner soft\u00adhyphen \ufeffmark \u200ertl",
    "bell\x07 escape\x1b[0m delete\x7f next\x85line form\x0cfeed vertical\x0btab",
    "no\u00a0break thin\u2009space ideographic\u3000space line\u2028separator",
    "don't can’t “quoted” — dash… ¿qué? 100% $5 €5 a_b ^ ` ~ | <br />",
    "https://example.org/a/b?c=d&e=f#g user@example.org C++ #1 ##ing @you",
    "[MASK] [SEP] [CLS] [PAD] [UNK] [mask] [unused1]",
    "\u2581 a\u2581b \u2581\u2581",
    "\ue000private\uf8ff \ufffdreplaced\ufffd",
    "ก็ได้ हिन्दी में עברית العربية",
    "x" * 100,
    "x" * 101,
    "the " * 25_000,
    "y" * 100_000,
    "!" * 1_000,
    "Ünïcödé" * 10,
]


def tiny_vocabulary() -> tuple[str, ...]:
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)] + ["ж", "é", "ß"]
    signs = [chr(code) for code in range(33, 127) if not chr(code).isalnum()]
    words = ["the", "cat", "mask", "sep", "pad", "##ing", "\u2581", "東"]
    return ("[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters), *signs, *words)
