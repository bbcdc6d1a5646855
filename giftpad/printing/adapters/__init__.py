"""Where printing meets files, typefaces, the PDF writer and the picture reader."""
