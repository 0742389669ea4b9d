"""ACB/Telecom on small files in the official schema, and on the official ones where they are."""
