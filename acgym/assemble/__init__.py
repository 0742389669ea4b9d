"""An agent spec in, an agent out: the only place that joins agents and compression."""
