package compose

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"galley/compose/corpora"
	"galley/compose/inline"
	"galley/compose/markdown"
)

// peerScript inlines the page at argv[2] with the program argv[3] argv[4] times,
// after a tenth of that for warming up, and prints the milliseconds of processor
// time that one took.
const peerScript = `
const fs = require('fs'), [page, name, times] = process.argv.slice(2);
const html = fs.readFileSync(page, 'utf8');
const run = {'css-inline': () => require('@css-inline/css-inline').inline(html), juice: () => require('juice')(html)}[name];
for (let i = 0; i < 3 + times / 10; i++) run();
const start = process.cpuUsage();
for (let i = 0; i < times; i++) run();
const used = process.cpuUsage(start);
console.log(JSON.stringify((used.user + used.system) / 1000 / times));
`

// beforeInlining is the page of #129 as the inliner gets it.
func beforeInlining(b *testing.B, text []byte) []byte {
	b.Helper()
	f := harbour()
	draft := markdown.Read(markdown.Source{Text: text, Exact: true})
	doc, _, err := markdown.Parse(context.Background(), draft)
	if err != nil {
		b.Fatal(err)
	}
	r := &Rendered{Doc: doc, Draft: draft}
	r.name(0)
	filled, err := r.page(f)
	if err != nil {
		b.Fatal(err)
	}
	page, err := fill(f.Looks, "issue.html", filled, doc.HTML(markdown.Mail))
	if err != nil {
		b.Fatal(err)
	}
	return page
}

// bodyOf is a draft without its head.
func bodyOf(b *testing.B, draft []byte) []byte {
	b.Helper()
	parts := bytes.SplitN(draft, []byte("\n---\n"), 2)
	if len(parts) < 2 {
		b.Fatal("the draft has no head")
	}
	return parts[1]
}

// processor is the time in milliseconds that this process has used.
func processor(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}

// BenchmarkPeers measures in one run, in milliseconds of processor time: the whole
// composition of #129 with its findings, our inlining alone, and that of two
// inliners on the very same page. The folder with their node_modules is named by
// GALLEY_INLINERS; without it they are left out.
func BenchmarkPeers(b *testing.B) {
	seed := readFile(b, corpora.Dir(b, "newsletters-rct", "files"), "0129.md")
	page := beforeInlining(b, seed)
	own := func(f func()) func(*testing.B) {
		return func(b *testing.B) {
			start, least := processor(b), math.Inf(1)
			for b.Loop() {
				before := processor(b)
				f()
				least = min(least, processor(b)-before)
			}
			b.ReportMetric((processor(b)-start)/float64(b.N), "cpu-ms/op")
			b.ReportMetric(least, "min-cpu-ms")
		}
	}
	f := harbour() // whoever composes has read the looks and the catalogue long before
	b.Run("compose", own(func() { mustRender(b, seed, f) }))
	four := slices.Concat(seed, bytes.Repeat(bodyOf(b, seed), 3))
	b.Run("compose-4x", own(func() { mustRender(b, four, f) }))
	b.Run("inline", own(func() {
		if _, err := inline.Inline(page); err != nil {
			b.Fatal(err)
		}
	}))
	for _, name := range []string{"css-inline", "juice"} {
		b.Run(name, func(b *testing.B) { peer(b, name, page) })
	}
}

func peer(b *testing.B, name string, page []byte) {
	modules := os.Getenv("GALLEY_INLINERS")
	if modules == "" {
		b.Skip("no inliners here: set GALLEY_INLINERS to a folder with their node_modules")
	}
	file := filepath.Join(b.TempDir(), "page.html")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("node", "-", file, name, strconv.Itoa(b.N))
	cmd.Dir, cmd.Stdin = modules, bytes.NewReader([]byte(peerScript))
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("%s: %v %s", name, err, out)
	}
	var ms float64
	if err := json.Unmarshal(bytes.TrimSpace(out), &ms); err != nil {
		b.Fatalf("%s: %q: %v", name, out, err)
	}
	b.ReportMetric(ms, "cpu-ms/op")
}
