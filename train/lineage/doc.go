// Package lineage is the Python that logs a version of a policy to MLflow and tracks
// it with DVC, for kuai learn, which runs it where the packages are.
package lineage
