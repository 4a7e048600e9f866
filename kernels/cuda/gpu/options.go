package gpu

// Options of Open.
type Options struct {
	// Step runs the commands of a recording one by one and waits for each, so that
	// an error names the operator. It is slow.
	Step bool
}
