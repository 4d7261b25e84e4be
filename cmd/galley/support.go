package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"galley/compose/lint"
)

// supportCmd refreshes the built-in table of what mail programs show. It is for
// those who build Galley.
type supportCmd struct {
	From string `default:"https://www.caniemail.com/api/data.json" placeholder:"FILE|URL" help:"The data of Can I email (${default})."`
	Out  string `short:"o" default:"compose/lint/features.tsv" type:"path" placeholder:"FILE" help:"The table in the source tree."`
}

// Run reads the data and writes the table.
func (c *supportCmd) Run(e *env) error {
	data, err := openData(e.ctx, c.From)
	if err != nil {
		return err
	}
	table, err := lint.Distil(data)
	if err = errors.Join(err, data.Close()); err != nil {
		return err
	}
	if err := os.WriteFile(c.Out, table, 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%s: %d features\n", c.Out, strings.Count(string(table), "\n")-2)
	return err
}

// maxData is several times what the data weighs today.
const maxData = 16 << 20

func openData(ctx context.Context, from string) (io.ReadCloser, error) {
	if !strings.HasPrefix(from, "https://") {
		return os.Open(from)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	resp, err := (&http.Client{Timeout: time.Minute}).Do(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("%s: %s", from, resp.Status), resp.Body.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxData), resp.Body}, nil
}
