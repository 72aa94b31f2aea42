"""`python -m pipeline.demo [--port N]`: the bundled site in the foreground, to look at in a browser."""

from __future__ import annotations

import argparse
import sys
import threading

from pipeline.demo.server import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m pipeline.demo", description="Serve the bundled fictional city.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; any free one if left out")
    with serve(port=parser.parse_args().port) as home:
        sys.stdout.write(f"{home}  (Ctrl+C ends)\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            sys.stdout.write("\n")


if __name__ == "__main__":
    main()
