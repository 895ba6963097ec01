"""The JSON documents of the Open Inference Protocol, version 2.

Unknown fields are let through: the protocol is open to extensions.
"""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class Document(BaseModel):
    """Base of every document."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class Datatype(StrEnum):
    """The protocol's names of what is served here."""

    FP32 = "FP32"
    BYTES = "BYTES"


class InputParameters(Document):
    """How a tensor comes."""

    binary_data_size: Annotated[int, Field(ge=0, strict=True)] | None = Field(
        None, description="Bytes of the tensor behind the JSON"
    )


class InputTensor(Document):
    """A tensor of a request; its data are here, or behind the JSON."""

    name: str
    shape: list[Annotated[int, Field(ge=0, strict=True)]]
    datatype: str
    parameters: InputParameters = InputParameters()
    data: list[Any] | None = None


class OutputParameters(Document):
    """How an output is wanted."""

    binary_data: Annotated[bool, Field(strict=True)] | None = Field(
        None, description="Behind the JSON; default: the request's `binary_data_output`"
    )
    classification: Annotated[int, Field(ge=0, strict=True)] = Field(
        0, description='This many of the highest scores, as text "score:index:label"'
    )


class WantedOutput(Document):
    """An output that a request asks for."""

    name: str
    parameters: OutputParameters = OutputParameters()


class RequestParameters(Document):
    """What counts for all of a request."""

    binary_data_output: Annotated[bool, Field(strict=True)] = False


class InferenceRequest(Document):
    """What is to be inferred from which tensor."""

    id: str | None = None
    parameters: RequestParameters = RequestParameters()
    inputs: Annotated[list[InputTensor], Field(min_length=1)]
    outputs: list[WantedOutput] = []


class OutputTensor(Document):
    """A tensor of an answer."""

    name: str
    datatype: Datatype
    shape: list[int]
    parameters: dict[str, int] = Field({}, description="`binary_data_size`: bytes behind the JSON")
    data: list[float] | list[str] = Field([], description="Flat, row by row")


class InferenceResponse(Document):
    """What was inferred."""

    model_name: str
    model_version: str
    id: str = ""
    outputs: list[OutputTensor]


class TensorFacts(Document):
    """Name, type and shape of a tensor; -1 is a free axis."""

    name: str
    datatype: Datatype
    shape: list[int]


class ModelFacts(Document):
    """What a model takes and gives."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorFacts]
    outputs: list[TensorFacts]


class ServerFacts(Document):
    """What this server is."""

    name: str
    version: str
    extensions: list[str]


class Live(Document):
    """The server answers."""

    live: bool = True


class Ready(Document):
    """The server's model is loaded."""

    ready: bool = True


class ModelReady(Document):
    """A model is loaded."""

    name: str
    ready: bool = True


class Fault(Document):
    """Any error."""

    error: str
