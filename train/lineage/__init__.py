"""A version that kuai learn made, logged to MLflow and tracked with DVC.

track   what does it, for one version
"""
