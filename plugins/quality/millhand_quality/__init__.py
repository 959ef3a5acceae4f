"""Quality inspection agents for Millhand."""
