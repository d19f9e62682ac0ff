"""What the clock asks: the worker, and each thing it does, one resolver call."""
