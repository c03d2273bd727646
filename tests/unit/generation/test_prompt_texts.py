"""Words of networks in prompt texts, in the form in which ComfyUI sees them."""

import pytest

from civitai_mock.generation.prompts.texts import PromptTexts, embedding_text
from tests.support.table import table


def texts(positive: str = "", negative: str = "") -> PromptTexts:
    return PromptTexts(positive=positive, negative=negative)


@table(
    ("positive", "word", "expected"),
    [
        ("a fox", "foxy", "a fox, foxy"),
        ("", "foxy", "foxy"),
        ("  ", "foxy", "foxy"),
        ("a FOXY fox", "foxy", "a FOXY fox"),
        ("(foxy:1.2) fox", "foxy", "(foxy:1.2) fox"),
        ("a foxy-like fox", "fox", "a foxy-like fox"),
        ("foxes", "fox", "foxes, fox"),
        ("a fox", "<style> (x)", "a fox, <style> (x)"),
        ("a <style> (x) fox", "<style> (x)", "a <style> (x) fox"),
    ],
)
def test_a_trigger_word_is_added_unless_it_is_there_as_a_whole_word(positive: str, word: str, expected: str) -> None:
    assert texts(positive, word).with_trigger(word) == texts(expected, word)


@pytest.mark.parametrize(
    ("file_name", "strength", "expected"),
    [
        ("easyneg.pt", 1, "embedding:easyneg.pt"),
        ("sub/easyneg.pt", 0.8, "(embedding:sub/easyneg.pt:0.8)"),
        ("easyneg.pt", -2.0, "(embedding:easyneg.pt:-2)"),
        ("bad(1).pt", 1, r"embedding:bad\(1\).pt"),
    ],
)
def test_an_embedding_is_named_by_its_file(file_name: str, strength: float, expected: str) -> None:
    assert embedding_text(file_name, strength) == expected


@table(
    ("text", "expected"),
    [
        ("bad", "embedding:e.pt"),
        ("text, bad, ugly", "text, embedding:e.pt, ugly"),
        ("text,bad,ugly", "text, embedding:e.pt,ugly"),
        ("text\nbad", "text\nembedding:e.pt"),
        ("text\tbad", "text\t embedding:e.pt"),
        ("(bad:1.2)", "(embedding:e.pt:1.2)"),
        ("(bad)", "(embedding:e.pt)"),
        ("((bad:.5), x:1.1)", "((embedding:e.pt:.5), x:1.1)"),
        ("(bad: x)", "(embedding:e.pt : x)"),
        (r"\(bad\)", r"\( embedding:e.pt \)"),
        ("[bad]", "[ embedding:e.pt ]"),
        ("bad.", "embedding:e.pt ."),
        ("BAD bad", "embedding:e.pt embedding:e.pt"),
        ("embedding:bad, x", "embedding:e.pt, x"),
        ("embedding:e.pt, x", "embedding:e.pt, x"),
        ("worse", "embedding:e.pt"),
    ],
)
def test_an_embedding_takes_the_place_of_its_words_where_comfyui_sees_it(text: str, expected: str) -> None:
    assert texts("a fox", text).with_embedding("embedding:e.pt", ["bad", "worse"]) == texts("a fox", expected)
    assert texts(text).with_embedding("embedding:e.pt", ["bad", "worse"]) == texts(expected)


@pytest.mark.parametrize("words", [[], ["bad"], ["badly"]])
def test_an_embedding_without_a_word_in_either_text_is_added_to_the_positive_one(words: list[str]) -> None:
    before = texts("a fox", "badger")
    assert before.with_embedding("embedding:e.pt", words) == texts("a fox, embedding:e.pt", "badger")


def test_a_word_in_both_texts_is_replaced_in_both() -> None:
    assert texts("x y", "y").with_embedding("(embedding:e.pt:2)", ["y"]) == texts(
        "x (embedding:e.pt:2)", "(embedding:e.pt:2)"
    )
