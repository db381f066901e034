"""The page of a comparison, report.html: its sections, tables, pictures and templates."""
