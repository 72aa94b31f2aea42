"""classify doctor: whether all that a survey needs is in place, each check by itself, and what to do if not."""
