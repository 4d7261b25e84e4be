package inbox

import (
	"context"
	"sync"
)

// bell wakes the sorting; see the same in compose. Each stage has its own,
// so that no stage reaches into another.
type bell struct {
	once sync.Once
	c    chan struct{}
}

func (b *bell) rang() <-chan struct{} {
	b.once.Do(func() { b.c = make(chan struct{}, 1) })
	return b.c
}

func (b *bell) ring() {
	b.rang()
	select {
	case b.c <- struct{}{}:
	default:
	}
}

// turn is a lock whose waiting ends with its context: a message that takes
// long must not keep the daemon from stopping.
type turn struct {
	once sync.Once
	c    chan struct{}
}

func (t *turn) take(ctx context.Context) error {
	t.once.Do(func() { t.c = make(chan struct{}, 1) })
	select {
	case t.c <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *turn) end() { <-t.c }
