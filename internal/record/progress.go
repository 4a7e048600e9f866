package record

import "io"

// Progress is told how many bytes of a recording have been read, now and then.
type Progress func(done, of int64)

// tellEvery is how many bytes lie between two tellings.
const tellEvery = 1 << 20

// telling is a reader whose progress is told.
type telling struct {
	from             io.Reader
	tell             Progress
	done, of, untold int64
}

// Read implements io.Reader.
func (t *telling) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	t.done += int64(n)
	if t.untold += int64(n); t.untold >= tellEvery || err != nil {
		t.untold = 0
		t.tell(t.done, t.of)
	}
	return n, err
}
