"""What backs a winner: how it fares class by class, when not to trust it, and what its answers hang on."""
