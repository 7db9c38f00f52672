"""What people copy is safe wherever they paste it, and always leads to the certificate."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from certifier.web.snippets import (
    Picture,
    embed_snippet,
    html_snippet,
    markdown_snippet,
    tag_lines,
)

PAGE = "https://label.example/v/7K3QZ9M2XA"
WORDS = {
    "plain words": "AI generation footprint: at most 3.10 g CO2e per minute of finished music (best estimate 2.20)",
    "the end of an attribute": '"><script>alert(1)</script>',
    "an attribute of its own": "x' onerror='alert(1)' \" onload=\"alert(1)",
    "a link of its own": "](javascript:alert(1)) [x](https://elsewhere.example)",
    "an image of its own": "![x](https://elsewhere.example/pixel.png)",
    "markup in Markdown": "<img src=x onerror=alert(1)> **bold** `code` | table",
    "entities": "&lt;b&gt; &amp; &#x22;",
    "backslashes": "\\](javascript:x) \\\\",
    "lines": "one\n\n# two\r\n- three\u2028four",
    "text that turns": "abc\u202edcba",
    "a template": "{{ 7 * 7 }} ${x} <%= y %>",
}


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data


def seen(words: str) -> str:
    """The words as one line of visible letters."""
    return " ".join("".join(char if char.isprintable() else " " for char in words).split())


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS.keys())
def test_html_holds_one_link_with_one_image(words: str) -> None:
    parsed = Tags(html_snippet(Picture(PAGE, f"{PAGE}.svg", words, 240, 240)))
    assert parsed.found == [
        ("a", {"href": PAGE}),
        ("img", {"src": f"{PAGE}.svg", "alt": seen(words), "width": "240", "height": "240"}),
    ]
    assert parsed.text == ""


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS.keys())
def test_markdown_holds_one_link_with_one_image(words: str) -> None:
    rendered = MarkdownIt("commonmark").render(markdown_snippet(Picture(PAGE, f"{PAGE}.svg", words, 240, 240)))
    parsed = Tags(rendered)
    assert [tag for tag, _ in parsed.found] == ["p", "a", "img"]
    assert parsed.found[1][1] == {"href": PAGE}
    assert parsed.found[2][1] == {"src": f"{PAGE}.svg", "alt": seen(words)}
    assert parsed.text.strip() == ""


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS.keys())
def test_an_embed_is_one_frame_that_may_open_links_and_nothing_else(words: str) -> None:
    ((tag, attributes),) = Tags(embed_snippet(f"{PAGE}/embed", words)).found
    assert (tag, attributes["src"], attributes["title"]) == ("iframe", f"{PAGE}/embed", seen(words))
    assert attributes["sandbox"] == "allow-popups allow-popups-to-escape-sandbox"


def test_an_address_cannot_end_its_place() -> None:
    picture = Picture('https://label.example/v/A"><b>)', "https://label.example/v/A.svg)", "words", 1, 1)
    assert Tags(html_snippet(picture)).found[0] == ("a", {"href": "https://label.example/v/A%22%3E%3Cb%3E%29"})
    assert (
        markdown_snippet(picture)
        == "[![words](https://label.example/v/A.svg%29)](https://label.example/v/A%22%3E%3Cb%3E%29)"
    )


def test_tags_name_code_and_address() -> None:
    for _, text in tag_lines("7K3Q-Z9M2-XA", PAGE):
        assert "7K3Q-Z9M2-XA" in text
        assert PAGE in text
