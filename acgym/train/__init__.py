"""The reference agent: demonstrations, data, tokenizer, trainer."""
