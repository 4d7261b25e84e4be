package compose

import "sync"

// bell wakes Run. A ring while nobody listens is kept, several are one; a
// lost one does no harm, since the next tick finds the row.
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
