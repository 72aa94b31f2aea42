"""A provider's Batch API: hand in a file, ask how it stands, fetch what was answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import ModelError
from pipeline.judge.batch import URL, split
from pipeline.judge.client import Endpoint

if TYPE_CHECKING:
    import openai

ENDED = ("completed", "expired", "cancelled", "failed")
# Such a batch was never worked on: it may be handed in again.
REFUSED = ("failed",)


@dataclass(frozen=True)
class Standing:
    """How a batch stands at the provider. files: ids of its output and error files, as far as they are there."""

    remote_id: str
    status: str
    completed: int = 0
    failed: int = 0
    total: int = 0
    files: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def ended(self) -> bool:
        return self.status in ENDED


class Remote:
    """The batches of one account. Every method raises ModelError where the provider refuses or does not answer."""

    def __init__(self, endpoint: Endpoint) -> None:
        import openai

        self._openai = openai.OpenAI(
            base_url=endpoint.base_url or None, api_key=endpoint.api_key or "none", timeout=endpoint.timeout_s
        )

    def submit(self, name: str, text: str, *, label: str) -> Standing:
        """Hand in the lines of a batch. label: stored with the batch, so that it is found again if we die here.

        Not tried again by itself: where an answer was lost the batch may be there, and is found by its label next time.
        """
        once = self._openai.with_options(max_retries=0)
        with _plain():
            file = once.files.create(file=(f"{name}.jsonl", text.encode()), purpose="batch")
            batch = once.batches.create(
                input_file_id=file.id, endpoint=URL, completion_window="24h", metadata={"akashi": label}
            )
            return _standing(batch)

    def find(self, label: str) -> Standing | None:
        """The batch that was handed in under that label and not refused, or None."""
        with _plain():
            for batch in self._openai.batches.list(limit=100):
                if (batch.metadata or {}).get("akashi") == label and batch.status not in REFUSED:
                    return _standing(batch)
        return None

    def standing(self, remote_id: str) -> Standing:
        """How the batch stands now."""
        with _plain():
            return _standing(self._openai.batches.retrieve(remote_id))

    def lines(self, standing: Standing) -> Iterator[bytes]:
        """All lines of its output and error files."""
        for file in standing.files:
            with _plain():
                content = self._openai.files.content(file).content
            yield from split(content)


def _standing(batch: openai.types.Batch) -> Standing:
    counts = batch.request_counts
    problems = (batch.errors.data or []) if batch.errors else []
    return Standing(
        remote_id=batch.id,
        status=batch.status,
        completed=counts.completed if counts else 0,
        failed=counts.failed if counts else 0,
        total=counts.total if counts else 0,
        files=tuple(file for file in (batch.output_file_id, batch.error_file_id) if file),
        errors=tuple(f"line {one.line}: {one.message}" for one in problems),
    )


@contextmanager
def _plain() -> Iterator[None]:
    import openai

    try:
        yield
    except openai.APIStatusError as error:
        raise ModelError(f"{error.request.url}: HTTP {error.status_code}: {error.message[:300]}", fatal=True) from None
    except openai.APIConnectionError as error:
        raise ModelError(f"{error.request.url}: no answer ({type(error.__cause__ or error).__name__}).") from None
    except (openai.OpenAIError, AttributeError, TypeError, ValueError) as error:
        raise ModelError(f"the server's answer is not that of a Batch API ({type(error).__name__}).") from None
