"""What a table is, whatever it came in: text, columns, cells."""
