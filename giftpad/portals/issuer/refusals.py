"""What a page of the desk refuses by itself, before the domain is asked."""

from __future__ import annotations


class PageRefused(Exception):
    """Nothing is done and nothing kept, the form's key neither; ``sentence`` says why."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.sentence, self.status = sentence, status
