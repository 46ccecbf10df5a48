"""The exact text for a prompt and a response, and its name."""

import pytest

from fsa.errors import FeatureError
from fsa.features.rendering import Rendered, Template, plain

CHAT = ({"role": "user", "content": "How?"}, {"role": "assistant", "content": "So."})


def test_named_templates() -> None:
    assert Template("response").render("Q", "A") == Rendered("A", ((0, 0),), ((0, 1),))
    assert Template("prompt+response").render("Q", "A") == Rendered("Q\n\nA", ((0, 1),), ((3, 4),))
    assert Template("prompt+response").render("", "A").text == "A"


def test_own_template_is_kept_where_the_prompt_is_empty() -> None:
    rendered = Template("Q: {prompt}\nA: {response}.").render("", "yes")
    assert rendered.text == "Q: \nA: yes."
    assert rendered.text[slice(*rendered.response[0])] == "yes"


@pytest.mark.parametrize(
    "reads", ["", "both", "{prompt}", "{response}{response}", "{prompt}{prompt}{response}"]
)
def test_a_template_names_the_response_once(reads: str) -> None:
    with pytest.raises(FeatureError, match=r"names \{response\} once and \{prompt\} at most once"):
        Template(reads)


def test_chat_spans_are_found_in_order_even_where_contents_repeat() -> None:
    template = Template(
        "prompt+response", lambda messages: "".join(f"<{m['content'].strip()}>" for m in messages)
    )
    rendered = template.render(
        ({"role": "user", "content": "same "},), ({"role": "assistant", "content": "same"},)
    )
    assert rendered == Rendered("<same><same>", ((1, 5),), ((7, 11),), has_special=True)


def test_content_that_a_chat_template_drops_has_no_characters() -> None:
    template = Template("prompt+response", lambda messages: f"<{messages[-1]['content']}>")
    rendered = template.render(
        ({"role": "user", "content": "dropped"},), ({"role": "assistant", "content": "A"},)
    )
    assert rendered == Rendered("<A>", ((0, 0),), ((1, 2),), has_special=True)


def test_strings_do_not_go_through_the_chat_template() -> None:
    assert Template("prompt+response", lambda messages: "chat").render("Q", "A").text == "Q\n\nA"


def test_plain_names_roles_only_where_there_are_several_messages() -> None:
    assert plain("text") == plain(({"role": "user", "content": "text"},)) == "text"
    assert plain(CHAT) == "user: How?\n\nassistant: So."
    assert plain(()) == ""


def test_keys_differ_where_anything_does() -> None:
    template = Template("prompt+response")
    pairs = [
        ("a", "b"),
        ("b", "a"),
        ("", "a\n\nb"),
        ("a\n\nb", ""),
        ("a\n\nb", "c"),
        ("a", "b\n\nc"),
        ("é", "é"),
    ]
    keys = {template.render(*pair).key for pair in pairs}
    assert len(keys) == len(pairs)
    assert all(len(key) == 16 for key in keys)
    assert template.render("a", "b").key in keys
