"""Tells an address of every job's end: signed, at least once, again and again until it listens."""

import asyncio
import hmac
import json
import logging
import time
from hashlib import sha256

import httpx

from worker.deliveries import Delivery
from worker.redaction import Redaction
from worker.settings import JobSettings
from worker.store import JobStore

SIGNATURE = "Sentiscope-Signature"
BACK_OFF_S = (5.0, 30.0, 120.0, 600.0, 3600.0)
"""Waits after each failed attempt; after the last one a delivery is dropped."""

_LIMIT_S = 5.0
"""Of a whole attempt, from connecting to the answer's status."""

_CLAIM_S = 60.0  # longer than an attempt can take
_AT_ONCE = 50
_LOG = logging.getLogger(__name__)


class _Refused(Exception):
    """The receiver did not say that it has the delivery."""


def deliver_due(store: JobStore, settings: JobSettings) -> int:
    """Send what is due and return how many were received; the first that fails ends the round.

    Safe to run in several processes at once. A delivery may arrive twice, with the same id.
    """
    if settings.webhook_url is None:
        return 0
    for received in range(_AT_ONCE):
        delivery = store.deliveries.due(claim_s=_CLAIM_S)
        if delivery is None or not _delivered(delivery, store, settings):
            return received
    return _AT_ONCE


def signature(secret: str, body: bytes, *, at: int) -> str:
    """The header's value: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`."""
    digest = hmac.new(secret.encode(), b"%d.%b" % (at, body), sha256).hexdigest()
    return f"t={at},v1={digest}"


def _delivered(delivery: Delivery, store: JobStore, settings: JobSettings) -> bool:
    """Whether it was received; if not it is put off, or dropped."""
    try:
        asyncio.run(_post(delivery, settings))
    except TimeoutError:
        _put_off(delivery, store, reason=f"no whole answer came within {_LIMIT_S:g} s")
        return False
    except (httpx.HTTPError, _Refused) as error:
        _put_off(delivery, store, reason=str(error) or type(error).__name__)
        return False
    store.deliveries.settle(delivery)
    return True


async def _post(delivery: Delivery, settings: JobSettings) -> None:
    """One attempt; the answer's status counts, its body is not read."""
    assert settings.webhook_secret is not None
    body = _body(delivery, Redaction.of(settings))
    signed = signature(settings.webhook_secret.get_secret_value(), body, at=int(time.time()))
    headers = {"Content-Type": "application/json", SIGNATURE: signed}
    async with (
        asyncio.timeout(_LIMIT_S),  # httpx's own are of each read, however little that brings
        httpx.AsyncClient(timeout=None, follow_redirects=False) as client,
        client.stream("POST", str(settings.webhook_url), content=body, headers=headers) as response,
    ):
        if not response.is_success:
            raise _Refused(f"the receiver answered {response.status_code}, expected 2xx")


def _body(delivery: Delivery, redaction: Redaction) -> bytes:
    """The same bytes in every attempt, without the host's folders."""
    told = {
        "id": delivery.id,
        "type": f"job.{delivery.job['status']}",
        "created_at": delivery.created_at.isoformat().replace("+00:00", "Z"),
        "job": delivery.job,
    }
    return redaction.text(json.dumps(told, separators=(",", ":"), ensure_ascii=False)).encode()


def _put_off(delivery: Delivery, store: JobStore, *, reason: str) -> None:
    _LOG.warning("webhook %s, attempt %d: %s", delivery.id, delivery.attempts, reason)
    if delivery.attempts <= len(BACK_OFF_S):
        store.deliveries.postpone(delivery, delay_s=BACK_OFF_S[delivery.attempts - 1])
        return
    event = {
        "event": "webhook_dropped",
        "delivery": delivery.id,
        "attempts": delivery.attempts,
        "reason": reason,
    }
    store.add_event(delivery.job["id"], event, once=f"webhook_dropped:{delivery.id}")
    store.deliveries.settle(delivery)
