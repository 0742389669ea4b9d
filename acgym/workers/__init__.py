"""Episodes shared out to processes or Ray actors."""
