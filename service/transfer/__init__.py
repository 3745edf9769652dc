"""Moving comments in and out: a reader per foreign format, the importer, the report."""
