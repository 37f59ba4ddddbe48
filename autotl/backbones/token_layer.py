"""The tokenizer inside a model's own graph, of KerasHub's layers alone, so that a saved model takes strings.

KerasHub's BERT tokenizer differs from the reference on what real texts hold: a no-break space glues two words into an
unknown one, a zero-width character splits a word, ß becomes ss, and accents are kept unless told otherwise. Here two of
its layers share the work instead:

1. A SentencePiece model that only normalises. The reference is shown every character there is, and what it makes of
   each (gone, lower case, no accent, set apart) is one rule of the model's. It gives the words, a mark before each.
2. WordPiece on these words. The mark is token 0 and every other token one higher, so marks and padding look alike.

Plain operations then pass over the zeros, cut, and set start and end. Paper: Kudo & Richardson, "SentencePiece", EMNLP
2018 (arXiv:1808.06226).
"""

from functools import cache
from typing import Any

import keras
from keras import ops

from autotl.backbones.tokenizer import SUFFIX_INDICATOR, WordPiece

MARK = "\u2581"  # what SentencePiece writes for a space
STAND_IN = "\ue000"  # for a MARK that a user wrote; itself a private character, which the reference passes over
LAST_CHARACTER = 0xEFFFF  # the private planes behind it would double the rules; `WordPiece` makes them unknown too
SURROGATES = range(0xD800, 0xE000)


def token_ids(texts: keras.KerasTensor, wordpiece: WordPiece, length: int) -> keras.KerasTensor:
    """Strings (n,) → int32 (n, length), equal to `wordpiece.encode`. Loads in safe mode with Keras and KerasHub.

    It runs in graphs: `predict`, `predict_on_batch`, `tf.function`, an export. Called eagerly it raises an
    error: KerasHub's layers then hand Python lists on, of which a functional model keeps the first word alone.

    Args:
        texts: strings, shape (n,).
        wordpiece: what to compute.
        length: tokens a text, start and end among them.
    Returns:
        int32, shape (n, length).
    """
    import keras_hub

    room = length - 2
    enough = max(2 * room, 1)  # each word brings one mark and at least one token, so that this many hold all that fit
    words = keras_hub.tokenizers.SentencePieceTokenizer(_normalising_model(wordpiece), dtype="string", name="words")
    pieces = keras_hub.tokenizers.WordPieceTokenizer(
        _vocabulary_with_mark(wordpiece),
        split=False,
        suffix_indicator=SUFFIX_INDICATOR,
        oov_token=wordpiece.unknown,
        name="pieces",
    )
    padded = keras_hub.layers.StartEndPacker(enough, pad_value=0, dtype="int32", name="padded")
    by_text = padded(pieces(words(texts)))[..., :, :]  # two axes, or the call was eager and lost all but one word
    marked = ops.reshape(by_text, (-1, enough))  # KerasHub announces a rank too many on the way
    behind = ops.where(ops.equal(marked, 0), enough, 0) + ops.arange(enough, dtype="int32")
    tokens = ops.take_along_axis(marked, ops.argsort(behind, axis=-1), axis=-1)[:, :room]
    count = ops.sum(ops.cast(ops.not_equal(tokens, 0), "int32"), axis=-1, keepdims=True)
    place = ops.arange(length, dtype="int32")
    shifted = ops.pad(tokens - 1, [[0, 0], [1, 1]], constant_values=wordpiece.start_id)
    ending = ops.where(ops.equal(place, count + 1), wordpiece.end_id, wordpiece.padding_id)
    return ops.cast(ops.where(ops.less_equal(place, count), shifted, ending), "int32")


def _vocabulary_with_mark(wordpiece: WordPiece) -> list[str]:
    """The vocabulary behind the mark. A token that no text can give has a name no text can give either.

    KerasHub's file of it has a token a line and no white space at a line's end, and wants each token once.
    """
    vocabulary = [MARK]
    for number, token in enumerate(wordpiece.vocabulary):
        usable = token and wordpiece.ids[token] == number and not any(letter.isspace() for letter in token)
        vocabulary.append(token.replace(MARK, STAND_IN) if usable else f"[never {number}]")
    return vocabulary


def _normalising_model(wordpiece: WordPiece) -> bytes:
    """A SentencePiece model that knows the mark and nothing else, so that each word comes out whole."""
    from sentencepiece import sentencepiece_model_pb2

    protocol: Any = sentencepiece_model_pb2  # its classes are made when it is imported
    model = protocol.ModelProto()
    model.normalizer_spec.ParseFromString(
        _normalizer(wordpiece.lowercase, wordpiece.strip_accents, wordpiece.split_cjk)
    )
    model.trainer_spec.model_type = protocol.TrainerSpec.CHAR
    model.trainer_spec.unk_id = 0
    model.trainer_spec.bos_id = model.trainer_spec.eos_id = model.trainer_spec.pad_id = -1
    kinds = protocol.ModelProto.SentencePiece
    model.pieces.add(piece="<unk>", score=0.0, type=kinds.UNKNOWN)
    model.pieces.add(piece=MARK, score=0.0, type=kinds.NORMAL)
    content: bytes = model.SerializeToString()
    return content


@cache
def _normalizer(lowercase: bool, strip_accents: bool, split_cjk: bool) -> bytes:
    """What the reference does to each character, as SentencePiece's rules; some three seconds."""
    import sentencepiece

    reference = WordPiece(("[UNK]",), lowercase, strip_accents, split_cjk)
    rules = [(MARK, STAND_IN)]
    for code in range(1, LAST_CHARACTER + 1):
        if code in SURROGATES or code == ord(MARK):
            continue
        letter = chr(code)
        first, *others = reference.words(f"a{letter}b")
        joined = " ".join([first, *others])[1:-1]
        if joined != letter:
            rules.append((letter, joined))
    sentencepiece.set_min_log_level(1)  # it would tell of its progress on stderr
    made: Any = sentencepiece.SentencePieceNormalizer(
        norm_map=rules, add_dummy_prefix=True, escape_whitespaces=True, remove_extra_whitespaces=True
    )
    content: bytes = made.serialized_normalizer_spec()
    return content
