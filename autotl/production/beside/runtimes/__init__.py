"""One a format: `load(folder, described, threads)` gives what makes probabilities (n, classes) of the model's input."""
