package sendtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// ends is a connection of a Memory, both ends.
func ends(t *testing.T, delay time.Duration) (client, server net.Conn) {
	t.Helper()
	m := NewMemory(delay)
	got := make(chan net.Conn, 1)
	go func() {
		c, err := m.Accept()
		if err == nil {
			got <- c
		}
	}()
	client, err := m.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return client, <-got
}

func TestMemoryDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := ends(t, 25*time.Millisecond)
		start := time.Now()
		go io.Copy(server, server)
		client.Write([]byte("ping"))
		buf := make([]byte, 4)
		if _, err := io.ReadFull(client, buf); err != nil || string(buf) != "ping" {
			t.Fatal(err, buf)
		}
		if took := time.Since(start); took != 50*time.Millisecond {
			t.Errorf("a round trip took %s", took)
		}
		client.Close()
	})
}

func TestMemoryDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := ends(t, 0)
		start := time.Now()
		client.SetDeadline(start.Add(time.Minute))
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		n, err := client.Write(make([]byte, halfLimit+1))
		if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(n, err)
		}
		client.SetDeadline(time.Now().Add(time.Minute))
		n, err = client.Write(make([]byte, halfLimit+1)) // nobody reads
		if n != halfLimit || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(n, err)
		}
		if took := time.Since(start); took != 2*time.Minute {
			t.Errorf("it took %s", took)
		}
		client.Close()
		server.Close()
	})
}

func TestMemoryClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := ends(t, time.Second)
		client.Write([]byte("last words"))
		client.Close()
		got, err := io.ReadAll(server)
		if err != nil || !bytes.Equal(got, []byte("last words")) {
			t.Error(string(got), err)
		}
		if _, err := server.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
			t.Error(err)
		}
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if _, err := server.Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
	})
}

func TestMemoryDialEnds(t *testing.T) {
	m := NewMemory(0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Dial(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	m.Close()
	if _, err := m.Dial(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
