"""A survey of many municipalities on many machines: who does what, and who may ask where when.

What is to be done stands in the store (waves). The jobs of Procrastinate only wake somebody for a municipality: whoever
runs one takes the municipality's hold first and looks how far it has come, so that a job that is lost, doubled or ended
by a worker that had been stopped does no harm.
"""

from pipeline.cluster.engine import Engine
from pipeline.cluster.errand import Errand, Seen, Stage
from pipeline.cluster.holds import Hold
from pipeline.cluster.link import lacking
from pipeline.errors import LostError

__all__ = ["Engine", "Errand", "Hold", "LostError", "Seen", "Stage", "lacking"]
