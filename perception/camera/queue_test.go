package camera

import "testing"

func names(q *unitQueue) (s string) {
	for {
		u, _, ok := q.take()
		if !ok {
			return s
		}
		s += string(u.data)
	}
}

func TestTheQueue(t *testing.T) {
	for _, c := range []struct {
		name, put string // upper case: key units
		want      string
		dropped   int
	}{
		{"in order", "Aab", "Aab", 0},
		{"only the newest JPEG", "ABC", "C", 2},
		{"a key unit soon after does not cut", "Aa", "Aa", 0},
		{"far behind, go on from the key unit", "AabcB", "B", 4},
		{"a decoder that took the key unit is not cut for a short queue", "aB", "aB", 0},
	} {
		q := newUnitQueue()
		dropped := 0
		for _, r := range c.put {
			dropped += q.put(unit{data: []byte(string(r)), key: r < 'a'})
		}
		if got := names(q); got != c.want || dropped != c.dropped {
			t.Errorf("%s: put %s: got %s and %d dropped, want %s and %d", c.name, c.put, got, dropped, c.want, c.dropped)
		}
	}
}

func TestAnOverflowWaitsForTheNextKeyUnit(t *testing.T) {
	q := newUnitQueue()
	dropped := 0
	for range maxUnits + 5 {
		dropped += q.put(unit{data: []byte("x")})
	}
	if got := names(q); got != "" || dropped != maxUnits+5 {
		t.Errorf("after the overflow the queue holds %q, %d dropped", got, dropped)
	}
	q.put(unit{data: []byte("K"), key: true})
	q.put(unit{data: []byte("y")})
	if got := names(q); got != "Ky" {
		t.Errorf("after the key unit the queue holds %q", got)
	}
	q.put(unit{data: []byte("1"), key: true})
	q.put(unit{data: []byte("2")})
	if _, more, _ := q.take(); !more {
		t.Error("one waits; take says none does")
	}
	if _, more, _ := q.take(); more {
		t.Error("none waits; take says one does")
	}
}
