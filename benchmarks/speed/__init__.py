"""What a search costs, each figure beside that of another way to do the same on the same machine."""
