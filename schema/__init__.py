"""What one may ask: the only place that knows Strawberry."""
