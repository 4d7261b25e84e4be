package store

import "sync"

// Bell wakes a stage when the books hold something new for it: rung after the
// commit (Tx.AfterCommit), never before it. A ring while nobody listens is
// kept, several are one; a lost one does no harm, since the stage's next tick
// finds the row. The zero Bell is ready.
type Bell struct {
	once sync.Once
	c    chan struct{}
}

// Rang is ready to be read when the bell has rung since it was read last.
func (b *Bell) Rang() <-chan struct{} {
	b.once.Do(func() { b.c = make(chan struct{}, 1) })
	return b.c
}

// Ring rings the bell, and never waits.
func (b *Bell) Ring() {
	b.Rang()
	select {
	case b.c <- struct{}{}:
	default:
	}
}
