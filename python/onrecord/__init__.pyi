"""Types of the package. The dictionaries are those of docs/output.md, which explains every field."""

from collections.abc import Sequence
from os import PathLike
from typing import Any, Literal, Protocol, TypedDict, final, overload

import pyarrow  # type: ignore[import-untyped]

__all__ = ["Extractor", "__version__"]

__version__: str

class _Entity(TypedDict):
    id: str
    label: str
    start: int
    end: int
    text: str
    score: float

class _Segment(TypedDict):
    start: int
    end: int
    text: str
    score: float

class _Span(TypedDict):
    start: int
    end: int
    text: str

class _SpeakerLink(TypedDict):
    id: str
    name: str
    label: str
    entity: str | None
    via: str
    score: float

class _Statement(TypedDict):
    id: str
    kind: Literal["direct", "indirect", "mixed"]
    act: Literal["speech", "thought"]
    polarity: Literal["positive", "negative"]
    floating: bool
    score: float
    source: list[_Segment]
    cue: list[_Segment]
    content: list[_Segment]
    speaker: _SpeakerLink | None
    co_speakers: list[str]

class _Speaker(TypedDict):
    id: str
    name: str
    label: str
    aliases: list[str]
    mentions: list[_Span]
    statements: list[str]

@final
class _Extraction(TypedDict):
    schema: int
    model: str
    id: str
    entities: list[_Entity]
    statements: list[_Statement]
    speakers: list[_Speaker]
    offset_unit: Literal["codepoint", "byte", "utf16"]
    warnings: list[str]

class _Error(TypedDict):
    code: str
    message: str

@final
class _Failure(TypedDict):
    id: str
    error: _Error

class _ArrowArray(Protocol):
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[Any, Any]: ...

class _ArrowStream(Protocol):
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any: ...

@final
class Extractor:
    """Reads news text and tells its named entities and who said what."""

    def __new__(
        cls,
        model: str | PathLike[str] | None = None,
        threads: int | None = None,
        *,
        precision: Literal["int8", "f32"] | None = None,
        entity_scheme: Literal["news9", "conll4"] | None = None,
        offset_unit: Literal["codepoint", "byte", "utf16"] = "codepoint",
        min_score: float = 0.0,
        floating: bool = True,
        max_window: int | None = None,
        max_document_bytes: int = ...,
    ) -> Extractor: ...
    @overload
    def extract(self, texts: str, ids: str | None = None) -> _Extraction: ...  # type: ignore[overload-overlap]
    @overload
    def extract(
        self, texts: Sequence[str | None], ids: Sequence[str] | None = None
    ) -> list[_Extraction | _Failure]: ...
    def extract_batch(
        self,
        rows: _ArrowArray | _ArrowStream,
        *,
        text_column: str = "text",
        id_column: str | None = None,
        keep: Sequence[str] | None = None,
    ) -> pyarrow.RecordBatch: ...
    @property
    def model(self) -> str: ...
    @property
    def threads(self) -> int: ...
    @property
    def tokens_run(self) -> int: ...
