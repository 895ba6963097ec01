"""What the API's description has that annotations alone do not say: bodies, problems, examples."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from app.guard import needed_scope
from app.schemas import JsonImages, Problem

Responses = dict[int | str, dict[str, Any]]

_KEYS: Mapping[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
"""The ways to send an API key."""

_JOY = [{"label": "joy", "score": 0.71}, {"label": "surprise", "score": 0.17}]
PREDICTIONS: dict[str, Any] = {
    "model": {
        "name": "default",
        "version": "3",
        "digest": "sha256:" + "0" * 64,
        "precision": "fp32",
        "provider": "cpu",
    },
    "predictions": [
        {
            "image": {"filename": "a.jpg", "format": "JPEG", "width": 640, "height": 480},
            "single": {"label": "joy", "score": 0.71, "scores": _JOY},
            "multi": {
                "labels": ["joy"],
                "scores": [
                    {"label": "joy", "score": 0.83, "threshold": 0.41, "selected": True},
                    {"label": "surprise", "score": 0.3, "threshold": 0.38, "selected": False},
                ],
            },
            "distribution": {"dominant": "joy", "entropy": 1.21, "scores": _JOY},
        }
    ],
}
"""An answer with `top_k=2`."""


def _schema(kind: type[BaseModel]) -> dict[str, Any]:
    """The schema of `kind` with its parts in place: here, references would lead nowhere."""
    whole = kind.model_json_schema()
    parts = whole.pop("$defs", {})

    def inlined(node: Any) -> Any:
        if isinstance(node, list):
            return [inlined(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return inlined(parts[node["$ref"].rsplit("/", 1)[-1]])
        return {key: inlined(each) for key, each in node.items()}

    found: dict[str, Any] = inlined(whole)
    return found


_BYTES = {"schema": {"type": "string", "format": "binary"}}
PREDICTIONS_BODY: dict[str, Any] = {
    "required": True,
    "description": "Images in one of three forms. JPEG, PNG, WebP, GIF (first frame) and BMP.",
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["image"],
                "properties": {
                    "image": {"type": "array", "items": {"type": "string", "format": "binary"}}
                },
            }
        },
        "image/*": _BYTES,
        "application/octet-stream": _BYTES,
        "application/json": {
            "schema": _schema(JsonImages),
            "example": {"images": [{"base64": "/9j/4AAQSkZJRg..."}]},
        },
    },
}
MARKDOWN: Responses = {
    200: {"content": {"text/markdown": {"schema": {"type": "string"}}}},
}


def problems(*statuses: int) -> Responses:
    """The problems that an operation may answer with."""
    content = {"application/problem+json": {"schema": _schema(Problem)}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def example(status: int, value: dict[str, Any]) -> Responses:
    """An example for one of an operation's answers."""
    return {status: {"content": {"application/json": {"example": value}}}}


def json_body(
    kind: type[BaseModel], *, examples: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A required JSON body of `kind`, with examples by title."""
    content: dict[str, Any] = {"schema": _schema(kind)}
    if examples:
        content["examples"] = {title: {"value": value} for title, value in examples.items()}
    return {"required": True, "content": {"application/json": content}}


def demand_keys(app: FastAPI) -> None:
    """Have the description of `app` say how an API key is sent, and which scope each needs."""
    described = app.openapi

    def with_keys() -> dict[str, Any]:
        document = described()
        document.setdefault("components", {})["securitySchemes"] = _KEYS
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                scope = needed_scope(method.upper(), path)
                operation["security"] = [{way: [scope]} for way in _KEYS] if scope else []
        return document

    app.openapi = with_keys  # type: ignore[method-assign]  # as FastAPI's own documentation does
