package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// The unit names this program and this configuration, in systemd's spelling.
func TestUnit(t *testing.T) {
	config := writeConfig(t)
	code, out, errs := command(t, "--config", config, "unit")
	if code != exitOK {
		t.Fatalf("exit code %d\n%s", code, errs)
	}
	for _, want := range []string{"Type=notify\n", " --config " + config + " serve\n", "WorkingDirectory=" + filepath.Dir(config) + "\n", "WatchdogSec=60\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("the unit does not say %q:\n%s", want, out)
		}
	}
	if got := unitPath(`/srv/100% "mine"`); got != `"/srv/100%% \"mine\""` {
		t.Errorf("a path: %s", got)
	}
}
