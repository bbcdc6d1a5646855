"""Pure rules of printing: geometry, colours, line breaks, patterns and QR matrices.

Hides: nothing from its own package; no file, no typeface and no PDF is touched here.
"""
