"""The checks of the audit, one file each; `codes` is the table of what they can say."""
