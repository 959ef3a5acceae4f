"""Statistical process control: measured values on control charts."""
