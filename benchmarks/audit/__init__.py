"""What of planted faults the audit finds, and what it says of honest data."""
