"""The one walk over the decoder layers that all methods share."""
