package cuda

import "sync"

// hostBuffer is memory of the host and its counterpart on the device.
type hostBuffer struct {
	host []byte
	at   Ptr
	same bool // the device uses the host's memory itself
	own  bool // at was allocated for it
}

// newHostBuffer gives an input its memory on both sides.
func newHostBuffer(d Driver, bytes int) (*hostBuffer, error) {
	host, at, err := d.HostAlloc(bytes)
	if err != nil {
		return nil, err
	}
	b := &hostBuffer{host: host, at: at, same: at != 0}
	if b.same {
		return b, nil
	}
	if b.at, err = d.Alloc(bytes); err != nil {
		d.HostFree(host)
		return nil, err
	}
	b.own = true
	return b, nil
}

func (b *hostBuffer) free(d Driver) {
	if b == nil {
		return
	}
	d.HostFree(b.host)
	if b.own {
		d.Free(b.at)
	}
}

// state is memory that sessions share; the last one frees it. What the host asks
// for is a copy: it is read when it is asked for and written back before the next
// run of any session that has the state.
type state struct {
	mu     sync.Mutex
	driver Driver
	at     Ptr
	bytes  int
	users  int
	mirror []byte
	lent   bool // the host may have written to the mirror
}

func newState(d Driver, bytes int) (*state, error) {
	s := &state{driver: d, bytes: bytes, users: 1}
	var err error
	if s.at, err = d.Alloc(bytes); err != nil {
		return nil, err
	}
	if err = d.Upload(s.at, make([]byte, bytes)); err != nil {
		d.Free(s.at)
		return nil, err
	}
	return s, nil
}

// memory is the host's copy, up to date.
func (s *state) memory() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mirror == nil {
		s.mirror = make([]byte, s.bytes)
	}
	if !s.lent {
		if s.driver.Download(s.mirror, s.at) != nil {
			return nil
		}
		s.lent = true
	}
	return s.mirror
}

// move copies bytes from one place of the state to another.
func (s *state) move(to, from, bytes int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lent {
		copy(s.mirror[to:to+bytes], s.mirror[from:from+bytes])
		return nil
	}
	return s.driver.Copy(s.at+Ptr(to), s.at+Ptr(from), bytes)
}

// settle writes back what the host may have changed.
func (s *state) settle() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.lent {
		return nil
	}
	s.lent = false
	return s.driver.Upload(s.at, s.mirror)
}

func (s *state) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users == 0 {
		s.driver.Free(s.at)
	}
}

func (s *state) share() *state {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users++
	return s
}
