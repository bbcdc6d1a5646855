"""The pages of whoever receives a gift: the letter, the choice, where it goes, thank you."""
