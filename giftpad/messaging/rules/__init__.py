"""Pure rules of messaging: what is written, to whom, and what follows from how sending ended."""
