"""The shop and the airline of tau2-bench: their records, their tools, and the tasks that need no simulated customer."""
