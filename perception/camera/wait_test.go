package camera

import (
	"context"
	"os"
	"runtime"
	"testing"
	"time"
)

// until waits for what another goroutine is about to do.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !done() {
		if ctx.Err() != nil {
			t.Fatalf("waited in vain until %s", what)
		}
		runtime.Gosched()
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
