"""Jobs as the API's description shows them."""

from typing import Any

_ID = "019abcd0f1e3a1b2c3d4e5f607"

REQUESTS: dict[str, dict[str, Any]] = {
    "the whole chain on the painted demo pictures": {
        "kind": "pipeline",
        "config": {"preset": "demo"},
        "name": "first try",
    },
    "one step of it, with two fields changed": {
        "kind": "pretrain",
        "config": {"preset": "demo/stimuli", "epochs": 5, "optimizer": {"learning_rate": 5e-4}},
        "labels": {"team": "vision"},
    },
    "fine-tuning on a data set of one's own": {
        "kind": "finetune",
        "config": {
            "backbone": {"name": "mobilenet_v2"},
            "datasets": [{"name": "mine", "kinds": ["single"]}],
            "epochs": 10,
        },
        "time_limit_s": 3600,
    },
    "the export of what a job trained": {
        "kind": "export",
        "config": {"run": _ID, "name": "mine", "alias": "production"},
    },
}
RECORD: dict[str, Any] = {
    "id": _ID,
    "kind": "evaluate",
    "name": "first try",
    "labels": {"team": "vision"},
    "status": "running",
    "config": {
        "recipe": "evaluate",
        "run": "019abcd0e2c4f1a2b3c4d5e6f7",
        "bundle": None,
        "datasets": [
            {"name": "demo-emotions", "kinds": ["single"], "multi_at_least": None, "repeat": 1}
        ],
        "split": "test",
        "batch_size": 32,
    },
    "gpus": 1,
    "time_limit_s": None,
    "created_at": "2026-11-25T09:00:00.000000Z",
    "queued_at": "2026-11-25T09:00:00.000000Z",
    "started_at": "2026-11-25T09:00:01.250000Z",
    "finished_at": None,
    "attempts": 1,
    "parent_id": None,
    "step": None,
    "depends_on": ["019abcd0e2c4f1a2b3c4d5e6f7"],
    "datasets": ["demo-emotions"],
    "worker": "gpu@host",
    "progress": {
        "stage": "validating",
        "epoch": None,
        "epochs": None,
        "step": 12,
        "steps": 40,
        "fraction": 0.3,
        "images_per_second": 61.2,
        "eta_seconds": 14.5,
    },
    "metrics": {},
    "result": None,
    "error": None,
    "revision": 2,
}
EVENTS: dict[str, Any] = {
    "items": [
        {"id": "1764061200000-0", "event": "status", "status": "queued"},
        {
            "id": "1764061206250-0",
            "at": "2026-11-25T09:00:06.250+00:00",
            "event": "progress",
            "stage": "training",
            "epoch": 1,
            "epochs": 3,
            "step": 10,
            "steps": 20,
            "fraction": 0.166667,
            "images_per_second": 61.2,
            "eta_seconds": 14.5,
        },
    ],
    "next_cursor": None,
}
STREAM = 'id: 1764061200000-0\nevent: status\ndata: {"event":"status","status":"queued"}\n\n'
METRICS: dict[str, Any] = {
    "items": [
        {"epoch": 1, "step": 20, "part": "train", "metrics": {"loss": 1.93}},
        {"epoch": 1, "step": 20, "part": "val", "metrics": {"loss": 1.81, "single.top1": 0.34}},
    ],
    "next_cursor": None,
}
ARTIFACTS: dict[str, Any] = {
    "items": [
        {
            "path": "checkpoints/best.safetensors",
            "bytes": 9_016_328,
            "modified_at": "2026-11-25T09:03:12.481000Z",
            "media_type": "application/octet-stream",
        }
    ],
    "next_cursor": None,
}
