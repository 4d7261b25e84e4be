package probe

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
)

// errFull ends a connection whose link has used up its bytes.
var errFull = errors.New("it sends more than is read")

// allowance is the key under which a context carries the bytes that one link
// may still cost.
type allowance struct{}

// bounded gives everything that is done for one link 512 KiB together: heads,
// bodies, handshakes, every redirect and the try at https (trust.md 2.5). It is
// counted where the bytes come in, so that no layer above can read past it.
func bounded(ctx context.Context) context.Context {
	if ctx.Value(allowance{}) != nil {
		return ctx
	}
	left := new(atomic.Int64)
	left.Store(maxBytes)
	return context.WithValue(ctx, allowance{}, left)
}

type dialler func(ctx context.Context, network, addr string) (net.Conn, error)

// counted makes the connections of dial pay for what they read.
func counted(dial dialler) dialler {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		left, ok := ctx.Value(allowance{}).(*atomic.Int64)
		if err != nil || !ok {
			return conn, err
		}
		return &meter{conn, left}, nil
	}
}

type meter struct {
	net.Conn
	left *atomic.Int64
}

func (m *meter) Read(b []byte) (int, error) {
	left := m.left.Load()
	if left <= 0 {
		return 0, errFull
	}
	n, err := m.Conn.Read(b[:min(int64(len(b)), left)])
	m.left.Add(-int64(n))
	return n, err
}
