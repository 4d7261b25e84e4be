package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// A bench sends, is killed, counts at the next hop, and tells its figures.
func TestBench(t *testing.T) {
	t.Setenv(asProgram, "1") // the sender is a process of its own
	code, out, errs := command(t, "bench", "--recipients", "600", "--connections", "4", "--kill", "2", "--sign", "ed25519", "--inline", "--size", "8", "--json")
	var f benchFigures
	if err := json.Unmarshal([]byte(out), &f); err != nil || code != exitOK {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, out, errs)
	}
	if f.Lost != 0 || f.Unlike != 0 || f.Kills != 2 || f.Twice > 8 || f.PerSecond <= 0 || f.CPU <= 0 || f.Allocs <= 0 || f.PeakMB <= 0 || f.Restart <= 0 {
		t.Errorf("%+v", f)
	}
	if sum := f.Share.Making + f.Share.Wire + f.Share.Books + f.Share.Waiting; sum < 99 || sum > 101 {
		t.Errorf("the shares of a line's time add up to %.1f %%: %+v", sum, f.Share)
	}
}

// In turn with others: every figure is there, and with a window as many copies may
// come twice as are on their way.
func TestBenchAgainst(t *testing.T) {
	t.Setenv(asProgram, "1")
	code, out, errs := command(t, "bench", "--recipients", "200", "--connections", "4", "--window", "4", "--sign", "none", "--size", "4", "--against", "1", "--json")
	var r benchRatios
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != exitOK {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, out, errs)
	}
	if r.Rounds != 1 || r.Galley.PerSecond <= 0 || r.Client.PerSecond <= 0 || r.Client.CPU <= 0 || r.Figures.Window != 4 || r.Figures.Lost != 0 {
		t.Errorf("%+v", r)
	}
	r = benchRatios{Rounds: 3, Galley: benchSpeed{8000, 80}, Client: benchSpeed{2000, 400}, Source: &benchSpeed{4000, 60}}
	golden(t, "bench_against.txt", r.String())
}

func TestBenchSaysWhatIsWrong(t *testing.T) {
	for words, want := range map[string]string{
		"--recipients 0":               "at least 1",
		"--relay 127.0.0.1:1 --kill 1": "leave out --relay or --kill",
		"--sign md5":                   "--sign",
		"--against 1 --kill 1":         "makes its own next hops",
	} {
		code, out, errs := command(t, append([]string{"bench"}, strings.Fields(words)...)...)
		if code != exitFailed || !strings.Contains(errs, want) {
			t.Errorf("%s: exit code %d, %s%s", words, code, out, errs)
		}
	}
}

// The figures for a person, and what counts as a broken promise.
func TestBenchFigures(t *testing.T) {
	f := benchFigures{Recipients: 20000, Connections: 50, KB: 55, Sign: "rsa", Ahead: true, Sent: 20000, Seconds: 2, PerSecond: 10000, CPU: 98, Allocs: 14,
		PeakMB: 30, PerCommit: 14.5, Kills: 2, Restart: 0.512, Twice: 60, Counted: true}
	f.Share.Making, f.Share.Wire, f.Share.Books, f.Share.Waiting = 5, 40, 50, 5
	golden(t, "bench.txt", f.String())
	for _, v := range []struct {
		change func(*benchFigures)
		kept   bool
	}{
		{func(*benchFigures) {}, true},
		{func(f *benchFigures) { f.Twice = 101 }, false},
		{func(f *benchFigures) { f.Twice, f.Window = 200, 2 }, true},
		{func(f *benchFigures) { f.Twice, f.Window = 201, 2 }, false},
		{func(f *benchFigures) { f.Lost = 1 }, false},
		{func(f *benchFigures) { f.Unlike = 1 }, false},
		{func(f *benchFigures) { f.Counted, f.Twice, f.Kills = false, 0, 0 }, true},
		{func(f *benchFigures) { f.Counted, f.Sent, f.Twice, f.Kills = false, 19999, 0, 0 }, false},
	} {
		g := f
		if v.change(&g); g.kept() != v.kept {
			t.Errorf("%+v: kept %v", g, g.kept())
		}
	}
}
