"""Plans over a source of which only statistics are here: its features are given, head and alignment are searched."""

from autotl.backbones import BackboneSpec

# Fields of a plan that say how an example is read and where its features are taken.
READING = ("image_size", "crop", "tap", "sequence_length", "pooling")


def why_not_public(backbone: BackboneSpec) -> str | None:
    """Why statistics cannot be of a backbone's features, in words that follow its name; None where they can.

    Two houses must load the same weights by the same name, and weights that were made from the examples of one would
    carry more of them away than its sums do.
    """
    public = backbone.origin in ("package", "scratch")
    public |= backbone.origin == "application" and backbone.weights in (None, "imagenet")
    public |= backbone.origin == "preset" and not backbone.name.startswith("/")
    if public:
        return None
    return "is not public by its name: statistics are of a backbone that every house can load, such as MobileNetV2."
