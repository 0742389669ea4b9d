"""Questions about archives."""
