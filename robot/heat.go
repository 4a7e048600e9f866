package robot

// Heat says where in a camera's picture a skill would have to take place, as an
// affordance model sees it: a coarse grid over the whole picture.
type Heat struct {
	Camera string
	// At is when the picture was captured.
	At Time
	// Values are 0 to 1, row by row from the top left; there are Columns × Rows.
	Columns, Rows int
	Values        []float32
}
