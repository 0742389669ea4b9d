"""Data sets that their authors publish: what there is, where it lies here, and how it is fetched and checked."""
