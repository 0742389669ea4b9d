"""ACB/WebShop-v0: a shop of 5,000 products in text."""
