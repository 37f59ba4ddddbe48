"""Linear heads with differential privacy: noise, what it costs, and the training that adds it.

An example is protected as long as nothing leaves that would be much likelier with it than with its place left empty.
Background and every choice: docs/privacy.md.
"""
