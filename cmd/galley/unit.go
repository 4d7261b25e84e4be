package main

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// unitCmd shows how systemd runs the daemon.
type unitCmd struct{}

// unitText is a service that starts after the network, is known to be ready by
// the daemon's own word, is given time to drain, and is started again when it
// dies or falls silent (the daemon feeds the watchdog every 10 seconds while
// its books answer).
const unitText = `[Unit]
Description=Galley, the newsletter press in %s
Wants=network-online.target
After=network-online.target postgresql.service

[Service]
Type=notify
NotifyAccess=main
User=%s
WorkingDirectory=%s
ExecStart=%s --config %s serve
Restart=always
RestartSec=5
WatchdogSec=60
TimeoutStopSec=25min
UMask=0077
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=%s
PrivateTmp=yes

[Install]
WantedBy=multi-user.target
`

// Run prints the unit with the paths of this program and this configuration.
func (unitCmd) Run(e *env) error {
	cfg, err := Load(e.config)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	owner, err := user.Current()
	if err != nil {
		return err
	}
	folder := filepath.Dir(cfg.Path)
	writes := unitPath(folder)
	if cfg.Data != folder {
		writes += " " + unitPath(cfg.Data)
	}
	_, err = fmt.Fprintf(e.stdout, unitText, strings.ReplaceAll(folder, "%", "%%"), owner.Username, unitPath(folder), unitPath(self), unitPath(cfg.Path), writes)
	return err
}

// unitPath writes a path as systemd reads it: a percent sign begins a
// specifier there, and a space ends a word.
func unitPath(path string) string {
	path = strings.ReplaceAll(path, "%", "%%")
	if strings.ContainsAny(path, " \t\"\\") {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + `"`
	}
	return path
}
