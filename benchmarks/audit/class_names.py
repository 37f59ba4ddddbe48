"""Names that real data sets give their classes, and the slips that fingers make of them."""

from collections import Counter

import numpy as np

LETTERS = "abcdefghijklmnopqrstuvwxyz"
CIFAR_100 = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant
flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree
motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate
poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider
squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
wardrobe whale willow_tree wolf woman worm
"""
DIAGNOSES = """
normal pneumonia covid19 atelectasis cardiomegaly effusion infiltration mass nodule pneumothorax consolidation edema
emphysema fibrosis pleural_thickening hernia melanoma nevus keratosis carcinoma psoriasis eczema
"""
FAULTS = """
normal IR_007 IR_014 IR_021 OR_007 OR_014 OR_021 B_007 B_014 B_021 wear misalignment imbalance looseness
"""
LISTS = {"CIFAR-100": CIFAR_100.split(), "diagnoses": DIAGNOSES.split(), "machine faults": FAULTS.split()}


def slip(name: str, draws: np.random.Generator) -> str:
    """The name with one letter left out, doubled or added, changed, or swapped with its neighbour."""
    while True:
        place = int(draws.integers(len(name)))
        letter = str(draws.choice(list(LETTERS)))
        kind = draws.integers(5)
        if kind == 0:
            slipped = name[:place] + name[place + 1 :]
        elif kind == 1:
            slipped = name[:place] + name[place] + name[place:]
        elif kind == 2:
            slipped = name[:place] + letter + name[place:]
        elif kind == 3:
            slipped = name[:place] + letter + name[place + 1 :]
        else:
            slipped = name[:place] + name[place : place + 2][::-1] + name[place + 2 :]
        if slipped and slipped != name:
            return slipped


def written_otherwise(name: str, draws: np.random.Generator) -> str:
    """The same name in another case, with white space at an end, or with letters of another width."""
    wide = "".join(chr(ord(letter) + 0xFEE0) if letter.isascii() and letter.isalpha() else letter for letter in name)
    forms = [form for form in (name.upper(), name.title(), f"{name} ", f" {name}", wide) if form != name]
    return str(draws.choice(forms))


def long_tailed(names: list[str], draws: np.random.Generator) -> Counter[str]:
    """Counts from 1,000 down to 2, as in nature."""
    shuffled = draws.permutation(names).tolist()
    counts = np.rint(np.geomspace(1_000, 2, len(shuffled))).astype(int)
    return Counter(dict(zip(shuffled, counts.tolist(), strict=True)))
