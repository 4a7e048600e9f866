package robot

import "sync"

// Mailbox lies between two stages. It holds the newest value only: Put
// overwrites, never blocks and counts what nobody took, so a slow reader
// cannot hold up whoever is upstream. The zero Mailbox is not usable.
type Mailbox[T any] struct {
	mu      sync.Mutex
	value   T
	full    bool
	dropped uint64
	ready   chan struct{}
}

// NewMailbox gives an empty mailbox.
func NewMailbox[T any]() *Mailbox[T] { return &Mailbox[T]{ready: make(chan struct{}, 1)} }

// Put leaves v for the reader in place of any value that is still there.
func (m *Mailbox[T]) Put(v T) {
	m.mu.Lock()
	if m.full {
		m.dropped++
	}
	m.value, m.full = v, true
	m.mu.Unlock()
	select {
	case m.ready <- struct{}{}:
	default:
	}
}

// Take gives the newest value and empties the mailbox; ok is false when there
// is none.
func (m *Mailbox[T]) Take() (v T, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.full {
		return v, false
	}
	v, m.full = m.value, false
	var zero T
	m.value = zero
	return v, true
}

// Ready is sent to after a Put; one reader selects on it and then calls Take,
// which may still find nothing.
func (m *Mailbox[T]) Ready() <-chan struct{} { return m.ready }

// Dropped gives how many values were overwritten before anyone took them.
func (m *Mailbox[T]) Dropped() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dropped
}
