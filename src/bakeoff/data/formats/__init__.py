"""Data sets in files of other programs: IDX, npz, CSV, Parquet, and tables beside images."""
