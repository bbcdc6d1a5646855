"""The catalogue's pure half: its values, how it is searched, how a line of a file is judged."""
