"""What our own programs ask a service for, and how."""

from __future__ import annotations

from certifier.certificate.status import PURPOSES, status_url
from certifier.client import Client, Patience
from tests.published import served

URLS = [status_url("https://label.example", purpose, 2) for purpose in PURPOSES]


def test_status_lists_are_fetched_past_every_cache_by_their_signed_address() -> None:
    with served({"/status/revocation/2": b"one", "/status/suspension/2": b"two"}) as site:
        assert Client(site.url).status_lists(URLS) == dict(zip(URLS, (b"one", b"two"), strict=True))
        assert site.past_caches == ["/status/revocation/2", "/status/suspension/2"]


def test_a_list_that_cannot_be_had_is_left_out_and_no_error() -> None:
    with served({"/status/suspension/2": b"two"}) as site:
        assert Client(site.url).status_lists(URLS) == {URLS[1]: b"two"}
        site.status = 500
        assert Client(site.url).status_lists(URLS) == {}
    assert Client("http://127.0.0.1:9", patience=Patience(sleep=lambda _: None)).status_lists(URLS) == {}
