"""The pure half of shops: their facts, what each may hold, and the reading of CSV files."""
