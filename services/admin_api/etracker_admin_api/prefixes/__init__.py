"""What address prefixes take, for operators."""
