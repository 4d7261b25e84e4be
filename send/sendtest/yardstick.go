package sendtest

import (
	"fmt"
	"sync"

	"github.com/emersion/go-smtp"
)

// Yardstick sends a message so many times over so many connections with the
// go-smtp client, which waits for each reply and keeps no books: what a sender
// is measured against. Its error is the first of any connection.
func Yardstick(addr string, msg []byte, copies, connections int) error {
	var wg sync.WaitGroup
	errs := make(chan error, connections)
	for i := range connections {
		n := copies / connections
		if i < copies%connections {
			n++
		}
		wg.Go(func() { errs <- yard(addr, msg, n) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return fmt.Errorf("yardstick: %w", err)
		}
	}
	return nil
}

func yard(addr string, msg []byte, copies int) error {
	c, err := smtp.Dial(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	for range copies {
		if err := Yard(c, msg); err != nil {
			return err
		}
	}
	return c.Quit()
}

// Yard sends one message over a connection that is open, a reply at a time.
func Yard(c *smtp.Client, msg []byte) error {
	if err := c.Mail("letter@bench.example", nil); err != nil {
		return err
	}
	if err := c.Rcpt("reader@bench.example", nil); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(msg); err != nil {
		return err
	}
	return w.Close()
}
