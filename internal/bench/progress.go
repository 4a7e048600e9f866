package bench

import "context"

type progressKey struct{}

// WithProgress lets tell know how far a long measurement is.
func WithProgress(ctx context.Context, tell func(text string)) context.Context {
	return context.WithValue(ctx, progressKey{}, tell)
}

// Progress tells how far a measurement is to whoever WithProgress named, if
// anybody.
func Progress(ctx context.Context, text string) {
	if tell, ok := ctx.Value(progressKey{}).(func(string)); ok {
		tell(text)
	}
}
