"""Every error that Akashi raises on purpose; cli.py alone turns them into a sentence and an exit code."""

from __future__ import annotations

from collections.abc import Sequence


class AkashiError(Exception):
    """Base of all. The message says what was tried, on what, and what to do next."""

    exit_code = 1


class InputError(AkashiError):
    """What the user gave cannot be used: exit code 2, nothing changed."""

    exit_code = 2


class UnknownCityError(InputError):
    """No municipality of that name, code or kana. `near` holds the closest names."""

    def __init__(self, message: str, near: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.near = tuple(near)


class AmbiguousCityError(InputError):
    """Several municipalities share the name. `candidates` holds `code prefecture name` lines."""

    def __init__(self, message: str, candidates: Sequence[str]) -> None:
        super().__init__(message)
        self.candidates = tuple(candidates)


class RegistryError(InputError):
    """The registry of municipalities could not be fetched or is not valid."""


class CriteriaError(InputError):
    """A criteria file is not valid. `problems` holds one line each, with its place in the file."""

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class SiteError(InputError):
    """The folder or WARC given with --site or --warc cannot be read."""


class DecisionError(InputError):
    """A decision that the rules of the queue refuse, or about an item that does not exist. `reason`: the bare rule."""

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason or message


class StaleError(DecisionError):
    """A decision taken from a screen that no longer shows how things are."""


class ArchiveError(AkashiError):
    """An archived body is missing or does not have the sha256 it is filed under."""


class StorageError(ArchiveError):
    """The archive's storage or index cannot be reached or written: it says nothing of what the archive holds."""


class EvidenceError(AkashiError):
    """A quote about to be published does not stand in the archived page that it names."""


class StoreError(AkashiError):
    """The database cannot be opened, migrated or written."""


class LostError(AkashiError):
    """A worker no longer has the municipality it was working on: another may have it by now. What it archived stays."""


class ModelError(AkashiError):
    """A model could not be asked. `fatal`: no other request will fare better (key, quota, model name)."""

    def __init__(self, message: str, *, fatal: bool = False) -> None:
        super().__init__(message)
        self.fatal = fatal


class PromptError(InputError):
    """A prompt file is not valid, or a gap in it was left unfilled."""
