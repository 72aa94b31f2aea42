"""Name, code or kana -> Municipality, from the public registry of Japan's local governments; never a guess."""

from pipeline.municipality.kinds import Kinds, PopulationClass
from pipeline.municipality.naming import check_digit, unregistered
from pipeline.municipality.registry import Registry

__all__ = ["Kinds", "PopulationClass", "Registry", "check_digit", "unregistered"]
