package inbox

import (
	"context"
	"sync"
)

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
