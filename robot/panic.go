package robot

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// Panic is a panic as an error, for whoever looks after the code that broke.
type Panic struct {
	// Value is what it panicked with, Stack where.
	Value any
	Stack []byte
}

// Error implements error, without the stack.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Guard calls f and gives its error, or a *Panic if it panicked. A goroutine
// that works beside the control loop begins with it: a panic that nobody
// recovers ends the whole program, and the loop with it in the middle of a
// motion.
func Guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Panic{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

// PanicIn gives the panic that err is or wraps, or nil.
func PanicIn(err error) *Panic {
	var p *Panic
	if errors.As(err, &p) {
		return p
	}
	return nil
}
