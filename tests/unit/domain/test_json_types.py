"""JSON that stays text until somebody looks into it."""

from civitai_mock.domain.json_types import JsonText

TEXT = '{"a":[1,2.5,null],"":{"ключ":"\\n"}}'.encode()


def test_a_text_is_equal_to_the_object_that_it_spells() -> None:
    members = {"a": [1, 2.5, None], "": {"ключ": "\n"}}
    text = JsonText(TEXT)
    assert text == members
    assert members == text
    assert JsonText(TEXT) == text
    assert text != {"a": 1}
    assert (list(text), len(text), text["a"]) == (["a", ""], 2, [1, 2.5, None])
    assert text.text is TEXT
