"""``acgym new``: a package of one's own, begun from a template that passes its own tests."""
