package gpu

import (
	"errors"
	"testing"
)

// TestNone is what users meet on a machine without a GPU; with one, Open must work.
func TestNone(t *testing.T) {
	facts, err := Look()
	if err == nil {
		_, err = facts.choose()
	}
	if err == nil {
		d, err := Open(Options{})
		if err != nil {
			t.Fatalf("the machine has a GPU that can be used: %v", err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		return
	}
	d, err := Open(Options{})
	if d != nil || !errors.Is(err, ErrNone) {
		t.Errorf("Open gives %v, %v; want an error that wraps %v", d, err, ErrNone)
	}
}
