"""What needs torch: reading the pre-trained backbone. Never imported at run time."""
