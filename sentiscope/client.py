"""The Python client of a Sentiscope service: `docs/client.md` shows it at work.

All that its users need is importable from here.
"""

from sentiscope.service.blocking import Client, JobHandle
from sentiscope.service.concurrent import AsyncClient, AsyncJobHandle
from sentiscope.service.datasets import Dataset
from sentiscope.service.errors import (
    BadRequest,
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    KeyMissing,
    NotFound,
    NotImported,
    Refused,
    SentiscopeError,
    ServiceFault,
    StillRunning,
    TimedOut,
    TooLarge,
    Unavailable,
    Unintelligible,
    Unreachable,
    Unsupported,
    UnusableImage,
    UnusableKey,
    UnusableSource,
)
from sentiscope.service.job import Artifact, Event, Job
from sentiscope.service.models import Model
from sentiscope.service.prediction import (
    Answer,
    Distribution,
    Explanation,
    FailedPrediction,
    Multi,
    Prediction,
    Predictions,
    Single,
)
from sentiscope.service.problem import Fault, Problem
from sentiscope.service.retries import NEVER, Retries

__all__ = [
    "NEVER",
    "Answer",
    "Artifact",
    "AsyncClient",
    "AsyncJobHandle",
    "BadRequest",
    "Busy",
    "Client",
    "Conflict",
    "Dataset",
    "Distribution",
    "Event",
    "Explanation",
    "FailedPrediction",
    "Fault",
    "Forbidden",
    "Invalid",
    "Job",
    "JobHandle",
    "KeyMissing",
    "Model",
    "Multi",
    "NotFound",
    "NotImported",
    "Prediction",
    "Predictions",
    "Problem",
    "Refused",
    "Retries",
    "SentiscopeError",
    "ServiceFault",
    "Single",
    "StillRunning",
    "TimedOut",
    "TooLarge",
    "Unavailable",
    "Unintelligible",
    "Unreachable",
    "Unsupported",
    "UnusableImage",
    "UnusableKey",
    "UnusableSource",
]
