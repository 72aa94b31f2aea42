"""Base data for analysts: what people confirmed of many municipalities, as an Excel workbook and as CSV."""

from pipeline.exports.nouns import Row
from pipeline.exports.rows import rows
from pipeline.exports.table import write_csv
from pipeline.exports.workbook import write_workbook

__all__ = ["Row", "rows", "write_csv", "write_workbook"]
