"""How far adaptation closes the gap between two domains, measured on real pairs of them."""
