"""Webhook endpoints over HTTP: where a holder of API keys wants to hear of events, and what was delivered there."""

from __future__ import annotations

from typing import Literal

from flask import Response, request
from pydantic import Field

from certifier.crypto.canonical import sha256_hex
from certifier.errors import PreconditionFailed, PreconditionRequired
from certifier.service.events import TYPES
from certifier.service.webhooks import delivery_document, endpoint_document
from certifier.storage.rows import DeliveryRow, EndpointRow
from certifier.web.access import caller
from certifier.web.documents.base import ONE_LINE, Document
from certifier.web.paging import list_reply, place_in
from certifier.web.problems import ParameterInvalid
from certifier.web.questions import sent
from certifier.web.responses import checked_query, json_reply
from certifier.web.site import Site

PATH = "/api/v1/webhook-endpoints"
EXAMPLE_ID = "whk_5d1f0c6b7a9e48322b6d0f1a2c3e4d5f"
EXAMPLE_DELIVERY = "dlv_9a1f0c6b7a9e48322b6d0f1a2c3e4d5f"
EXAMPLE_URL = "https://hooks.example.org/label"
MOST_TEXT = 200
SENT = ("An endpoint is described", "The endpoint cannot be read.")

EventTypes = list[str]


class WebhookEndpointRequest(Document):
    """Where events are to be sent."""

    url: str = Field(
        examples=[EXAMPLE_URL], description="https, a public host name, port 443; redirects are not followed"
    )
    types: EventTypes | None = Field(
        default=None, examples=[["certificate.revoked", "certificate.suspended"]], description="null for all events"
    )
    description: str = Field(default="", max_length=MOST_TEXT, pattern=ONE_LINE, description="For yourself")


class WebhookEndpointChange(Document):
    """What is to be otherwise; what is left out stays."""

    url: str | None = Field(default=None, examples=[EXAMPLE_URL])
    types: EventTypes | None = Field(default=None, description="null, where it is sent, for all events")
    description: str | None = Field(default=None, max_length=MOST_TEXT, pattern=ONE_LINE)
    status: Literal["active", "disabled"] | None = Field(default=None, examples=["active"])


class WebhookEndpointView(Document):
    """An endpoint without its secret, which is told once only."""

    id: str = Field(examples=[EXAMPLE_ID])
    holder: str = Field(examples=["Example Platform"])
    url: str = Field(examples=[EXAMPLE_URL])
    types: EventTypes | None = Field(examples=[["certificate.revoked"]], description="null for all events")
    description: str
    status: str = Field(examples=["active", "disabled"])
    disabled_because: str | None = Field(
        description="owner; gone: it answered 410; failing: nothing could be delivered for five days"
    )
    failing_since: str | None = Field(description="Since when nothing could be delivered; null while all is well")
    created_at: str


class NewWebhookEndpoint(WebhookEndpointView):
    """An endpoint with the secret that signs its deliveries. It is shown this once."""

    secret: str = Field(examples=["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="])


class RotatedSecret(Document):
    """A new secret. The one of before signs beside it until a time, so that you can change it without a gap."""

    id: str = Field(examples=[EXAMPLE_ID])
    secret: str = Field(examples=["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="])
    old_secret_until: str


class WebhookEndpointList(Document):
    """The endpoints of one holder, the oldest first."""

    items: list[WebhookEndpointView]


class DeliveryView(Document):
    """One event on its way to one endpoint."""

    id: str = Field(examples=[EXAMPLE_DELIVERY])
    endpoint: str = Field(examples=[EXAMPLE_ID])
    event_id: str = Field(description="The webhook-id, the same at every attempt and replay")
    type: str = Field(examples=["certificate.revoked", "ping"])
    state: str = Field(examples=["waiting", "delivered", "failed"])
    created_at: str
    attempts: int
    attempted_at: str | None
    http_status: int | None = Field(description="Of the last attempt; null where no answer came")
    told: str | None = Field(description="Why the last attempt failed")
    next_attempt_at: str | None = Field(description="Not before; null when there is none")


class DeliveryList(Document):
    """Deliveries, the newest first; ``next`` is the address of the page behind, null on the last one."""

    items: list[DeliveryView]
    next: str | None


def view_of(row: EndpointRow) -> WebhookEndpointView:
    return WebhookEndpointView(**endpoint_document(row))


def delivery_view(row: DeliveryRow) -> DeliveryView:
    return DeliveryView(**delivery_document(row))


def add(site: Site) -> Response:
    """Begin to deliver to an address; 201 with the secret, this once."""
    checked_query()
    asked = sent(WebhookEndpointRequest, *SENT)
    types = _known(asked.types)
    made = site.certifier.webhooks.add(caller().holder, asked.url, types, asked.description, site.egress, site.clock())
    document = NewWebhookEndpoint(**endpoint_document(made.endpoint), secret=made.secret)
    return _created(document, f"{PATH}/{made.endpoint.id}", made.endpoint)


def listed(site: Site) -> Response:
    checked_query()
    rows = site.certifier.webhooks.all_of(caller().holder)
    return json_reply(WebhookEndpointList(items=[view_of(row) for row in rows]), "no time")


def show(site: Site, endpoint_id: str) -> Response:
    checked_query()
    return json_reply(view_of(_own(site, endpoint_id)), "no time")


def change(site: Site, endpoint_id: str) -> Response:
    """Change what the caller has read: ``If-Match`` names it by its entity tag."""
    checked_query()
    row = _own(site, endpoint_id)
    _check_match(row)
    asked = sent(WebhookEndpointChange, *SENT)
    given = {name: getattr(asked, name) for name in asked.model_fields_set}
    if "types" in given:
        given["types"] = _known(given["types"])
    if unset := [name for name, value in given.items() if value is None]:
        raise ParameterInvalid("It cannot be null.", pointer=f"/{unset[0]}", hint="Leave it out to keep it.")
    changed = site.certifier.webhooks.change(row, given, site.egress) if given else row
    return json_reply(view_of(changed), "no time")


def remove(site: Site, endpoint_id: str) -> Response:
    """Deliver nothing there any more, and forget what was delivered."""
    checked_query()
    site.certifier.webhooks.remove(_own(site, endpoint_id))
    return Response(status=204)


def test(site: Site, endpoint_id: str) -> Response:
    """Send a ping; 202, since it is delivered as everything else."""
    checked_query()
    row = _own(site, endpoint_id)
    return _queued(site.certifier.webhooks.ping(row, site.clock()))


def rotate(site: Site, endpoint_id: str) -> Response:
    """A new secret, this once; the old one signs too for a day."""
    checked_query()
    made = site.certifier.webhooks.rotate(_own(site, endpoint_id), site.clock())
    document = RotatedSecret(
        id=made.endpoint.id, secret=made.secret, old_secret_until=made.endpoint.old_secret_until or ""
    )
    return _created(document, f"{PATH}/{made.endpoint.id}", made.endpoint)


def deliveries(site: Site, endpoint_id: str) -> Response:
    """What was delivered to an endpoint, and what waits, the newest first."""
    asked = checked_query(cursor=None, limit=None)
    row, place = _own(site, endpoint_id), place_in(site, asked, site.clock())
    rows = site.certifier.webhooks.deliveries(row, place.limit + 1, int(place.after) if place.after else None)
    shown = rows[: place.limit]
    end = str(shown[-1].number) if len(rows) > place.limit else None
    return list_reply(site, [delivery_view(row) for row in shown], place, end, "no time")


def replay(site: Site, delivery_id: str) -> Response:
    """Deliver an event again, under its own id."""
    checked_query()
    webhooks = site.certifier.webhooks
    return _queued(webhooks.replay(webhooks.delivery(delivery_id, caller().holder), site.clock()))


def _own(site: Site, endpoint_id: str) -> EndpointRow:
    """An endpoint of the caller's holder. Raises NotFoundError."""
    return site.certifier.webhooks.one(endpoint_id, caller().holder)


def _known(types: EventTypes | None) -> EventTypes:
    """The types as they are stored: none for all of them. Raises ParameterInvalid for one that does not exist."""
    for place, name in enumerate(types or []):
        if name not in TYPES:
            raise ParameterInvalid(
                "There is no such type of event.",
                found=name[:60],
                expected=f"one of: {', '.join(TYPES)}",
                pointer=f"/types/{place}",
            )
    if types == []:
        raise ParameterInvalid("An endpoint for no event is none.", expected="null for all events", pointer="/types")
    return types or []


def _tag_of(row: EndpointRow) -> str:
    """The entity tag of an endpoint's view, as ``reply`` makes it."""
    return sha256_hex(view_of(row).model_dump_json(by_alias=True).encode())[:32]


def _check_match(row: EndpointRow) -> None:
    """RFC 9110 section 13.1.1, but for weak tags: packing an answer makes its tag a weak one, and it names the same state."""
    if "If-Match" not in request.headers:
        raise PreconditionRequired("A change names what it changes.", expected="If-Match: the ETag that you have read")
    if not request.if_match.star_tag and not request.if_match.contains_weak(_tag_of(row)):
        raise PreconditionFailed(
            "The endpoint is not as you have read it.",
            found=request.headers["If-Match"][:80],
            expected=f'"{_tag_of(row)}"',
            hint="Get it again.",
        )


def _created(document: Document, location: str, row: EndpointRow) -> Response:
    response = json_reply(document, "not at all", Location=location)
    response.status_code = 201
    response.set_etag(_tag_of(row))
    return response


def _queued(row: DeliveryRow) -> Response:
    response = json_reply(delivery_view(row), "not at all", Location=f"{PATH}/{row.endpoint_id}/deliveries")
    response.status_code = 202
    return response
