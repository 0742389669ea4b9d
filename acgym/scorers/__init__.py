"""Text against a reference: pure scorers of single replies, as papers define them."""
