"""Answers in words, in the place of language models and of models that judge: the same for the same question."""
