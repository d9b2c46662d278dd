"""A made-up AWS account and cluster on this machine, for `eks6check demo` and for the tests."""
