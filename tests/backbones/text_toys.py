"""A small language network with all that makes them hard: padding, masks that cross cuts, a vocabulary of one's own."""

import keras
import numpy as np
from keras import ops
from nasty_texts import tiny_vocabulary

from autotl.backbones import BackboneSpec, Network
from autotl.backbones.bert import pooled
from autotl.backbones.form import Form
from autotl.backbones.network import network_of
from autotl.backbones.origin import Loaded
from autotl.backbones.reading import TokenReading
from autotl.backbones.tokenizer import WordPiece

WIDTH = 8
SPEC = BackboneSpec("saved", "toy language network")
PADDED_WITH_0 = WordPiece(tiny_vocabulary(), lowercase=True, strip_accents=True)
PADDED_WITH_LAST = WordPiece(("the", *(t for t in tiny_vocabulary() if t not in ("the", "[PAD]")), "[PAD]"), True, True)


def toy_model(wordpiece: WordPiece, *, length: int | None, seed: int = 0) -> keras.Model:
    """Token ids to hidden states; what stands at the padding is looked at by nobody."""
    keras.utils.set_random_seed(seed)
    tokens = keras.Input((length,), dtype="int32")
    mask = ops.not_equal(tokens, wordpiece.padding_id)
    hidden = keras.layers.Embedding(len(wordpiece.vocabulary), WIDTH, embeddings_initializer="normal")(tokens)
    for number in range(2):
        attention = keras.layers.MultiHeadAttention(2, 4, kernel_initializer="orthogonal", name=f"look_{number}")
        looked = attention(query=hidden, value=hidden, attention_mask=ops.expand_dims(mask, 1))
        hidden = keras.layers.LayerNormalization(name=f"norm_{number}")(hidden + looked)
        hidden = hidden + keras.layers.Dense(WIDTH, activation="gelu", name=f"inner_{number}")(hidden)
    return keras.Model(tokens, hidden)


def toy_text_network(
    wordpiece: WordPiece = PADDED_WITH_0, *, length: int = 48, pooling: str = "mean", seed: int = 0
) -> Network:
    """The toy as a backbone."""
    origin = Loaded(
        toy_model(wordpiece, length=None, seed=seed),
        reading=TokenReading(wordpiece, length),
        pool=lambda hidden, tokens: pooled(hidden, tokens, pooling, padding_id=wordpiece.padding_id),
    )
    return network_of(origin, SPEC, form=Form("text", sequence_length=length, pooling=pooling), tap="last")


def toy_texts(count: int, *, longest: int = 40, seed: int = 0) -> list[str]:
    """Texts of letters and of `the`, from one word to so many."""
    draws = np.random.default_rng(seed)
    words = [*"abcdefgh", "the", "the", "the"]
    return [" ".join(draws.choice(words, draws.integers(1, longest))) for _ in range(count)]
