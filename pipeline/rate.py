"""The pace at which a model's server is asked, kept together by everybody who uses one database."""

from __future__ import annotations

import hashlib

from pipeline.judge.client import Endpoint
from pipeline.store.store import Store

MINUTE_S = 60.0


class Together:
    """A turn for each call: so many a minute, and none while the server has asked for a rest.

    The place is the server and the account: a digest of the key, which itself is stored nowhere.
    """

    def __init__(self, store: Store, endpoint: Endpoint, rpm: float) -> None:
        self._turns = store.turns
        key = hashlib.sha256(endpoint.api_key.encode()).hexdigest()[:12]
        self._place = f"model {endpoint.base_url or 'openai'} {key}"
        self._rest = self._place + " rest"
        self._delay_s = MINUTE_S / rpm if rpm else 0.0

    def turn(self) -> float:
        """Reserves one more call: seconds from now. Raises StoreError where the database cannot be written."""
        return self._turns.slot(self._place, self._delay_s)

    def rest(self, seconds: float) -> None:
        """Nobody calls sooner than that, whatever turn was reserved."""
        self._turns.hold(self._rest, seconds)

    def resting(self) -> float:
        """Seconds that such a rest still takes."""
        return self._turns.slot(self._rest, 0.0)
