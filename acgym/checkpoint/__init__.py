"""`acgym compress`: a compressed model leaves as files, is read back, and compared."""
