"""ACB/Retail and ACB/Airline on small files in the official schema."""
