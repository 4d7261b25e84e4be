package inbox

import "sync"

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
