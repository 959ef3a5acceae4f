"""What people say of decisions: answers to questions, corrections, approvals."""
