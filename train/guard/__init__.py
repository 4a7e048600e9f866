"""The classifier of policy/guard: hashed features, logistic regression."""
