"""The search: which plan comes next, on which worker, and when to stop. Importing this loads no heavy library."""
