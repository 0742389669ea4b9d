"""tau2-bench telecom in solo mode: a customer's account and phone, and tickets that say what is wrong with them."""
