"""A comparison in, the files of other tools out: lm-eval, Inspect, CSV, Parquet, model cards."""
