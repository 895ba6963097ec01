"""`GET /metrics`: for Prometheus."""

from fastapi import APIRouter, Response

from app.metrics import CONTENT_TYPE
from app.state import TheService

router = APIRouter(tags=["operations"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(service: TheService) -> Response:
    """What this process counted and measured, in Prometheus' text format."""
    return Response(service.metrics.text(), media_type=CONTENT_TYPE)
