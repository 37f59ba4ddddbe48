"""Tiny Hugging Face checkpoints with random weights, of kinds that KerasHub does not load, as their libraries write
them: configuration, safetensors, tokenizer or image processor. Nothing is downloaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

GOOD, BAD = ("good", "great", "fine", "lovely", "superb"), ("bad", "awful", "poor", "dreadful", "dull")
WORDS = (*GOOD, *BAD, "the", "a", "film", "book", "was", "is", "and", "very", "not", "story", "acting", "plot")
SPECIAL = ("<pad>", "<unk>", "<s>", "</s>", "<mask>")
SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}


def skip_without_torch() -> None:
    """Tests of networks on PyTorch have nothing to test without it."""
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'autotl[torch]'")


def text_folder(folder: Path, *, words: Sequence[str] = WORDS, seed: int = 0, **changes: Any) -> Path:
    """An MPNet with a tokenizer of whole words."""
    import torch
    from transformers import MPNetConfig, MPNetModel

    vocabulary = len(SPECIAL) + len(words)
    settings = {**SIZES, "vocab_size": vocabulary, "max_position_embeddings": 40, "pad_token_id": 0, "bos_token_id": 2}
    config = MPNetConfig(**{**settings, "eos_token_id": 3, "initializer_range": 0.3, **changes})
    torch.manual_seed(seed)
    MPNetModel(config).save_pretrained(folder)
    tokenizer_of_words(words).save_pretrained(folder)
    return folder


def tokenizer_of_words(words: Sequence[str] = WORDS) -> Any:
    """A fast tokenizer that knows these words."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    ids = {token: number for number, token in enumerate([*SPECIAL, *words])}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", ids["<s>"]), ("</s>", ids["</s>"])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        mask_token="<mask>",
        model_max_length=32,
    )


def image_folder(folder: Path, *, side: int = 32, seed: int = 0, **changes: Any) -> Path:
    """A ViT with a class token, for images of a size, and its image processor."""
    import torch
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    config = ViTConfig(**{**SIZES, "image_size": side, "patch_size": 8, "initializer_range": 0.3, **changes})
    torch.manual_seed(seed)
    ViTModel(config, add_pooling_layer=False).save_pretrained(folder)
    size = {"height": side, "width": side}
    mean, deviation = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]
    ViTImageProcessor(size=size, image_mean=mean, image_std=deviation).save_pretrained(folder)
    return folder
