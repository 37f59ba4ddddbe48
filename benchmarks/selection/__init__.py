"""Which rule chooses well where no target label is known, compared on the trials of finished searches."""
