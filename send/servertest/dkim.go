package servertest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/foxcpp/go-mockdns"
)

// StartDNS answers questions about zones until the test ends, and gives its
// address. Names end in a dot.
func StartDNS(t testing.TB, zones map[string]mockdns.Zone) string {
	t.Helper()
	srv, err := mockdns.NewServerWithLogger(zones, silent{}, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	return srv.LocalAddr().String()
}

type silent struct{}

func (silent) Printf(string, ...any) {}

// txtFile writes TXT records as OpenDKIM and OpenDMARC read them in tests.
func txtFile(t testing.TB, path string, records map[string]string) {
	t.Helper()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(records)) {
		fmt.Fprintf(&b, "%s %s\n", name, records[name])
	}
	write(t, path, b.String())
}

// MilterSigner is the milter of a provider that signs the mail of its users:
// OpenDKIM with one key for each domain. It gives the address for Postfix and
// the TXT records of the keys, whose selector is "s".
func MilterSigner(t testing.TB, domains ...string) (socket string, records map[string]string) {
	t.Helper()
	Need(t, "opendkim", "opendkim-genkey", "opendmarc")
	dir := folder(t)
	records = map[string]string{}
	var keys, signing strings.Builder
	for _, d := range domains {
		must(t, command(t, "opendkim-genkey", "--bits=2048", "--selector=s-"+d, "--domain="+d, "--directory="+dir))
		key := filepath.Join(dir, "s-"+d+".private")
		give(t, key)
		fmt.Fprintf(&keys, "%s %s:s:%s\n", d, d, key)
		fmt.Fprintf(&signing, "*@%s %s\n", d, d)
		records["s._domainkey."+d] = publicRecord(t, filepath.Join(dir, "s-"+d+".txt"))
	}
	write(t, filepath.Join(dir, "keys"), keys.String())
	write(t, filepath.Join(dir, "signing"), signing.String())
	return milter(t, dir, "opendkim", `Mode s
KeyTable file:DIR/keys
SigningTable refile:DIR/signing
Canonicalization relaxed/relaxed
SignHeaders *,+message-id,+mime-version
OversignHeaders From
InternalHosts 127.0.0.1
RequireSafeKeys no
`), records
}

// publicRecord reads the record out of the zone file that OpenDKIM writes.
func publicRecord(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out string
	for i, piece := range strings.Split(string(text), `"`) {
		if i%2 == 1 {
			out += piece
		}
	}
	return out
}

// MilterJudges are the milters of a server that takes mail in: OpenDKIM
// verifies by the keys among the TXT records, OpenDMARC joins its result with
// the policies among them. Both put their word as mx.test, and take away what
// comes in under that name.
func MilterJudges(t testing.TB, records map[string]string) []string {
	t.Helper()
	Need(t, "opendkim", "opendmarc")
	dkimDir, dmarcDir := folder(t), folder(t)
	txtFile(t, filepath.Join(dkimDir, "dns"), records)
	txtFile(t, filepath.Join(dmarcDir, "dns"), records)
	write(t, filepath.Join(dmarcDir, "ignore"), "192.0.2.1\n") // by default OpenDMARC trusts 127.0.0.1
	return []string{
		milter(t, dkimDir, "opendkim", `Mode v
AuthservID mx.test
AlwaysAddARHeader yes
RemoveARFrom mx.test
RemoveARAll yes
TestPublicKeys DIR/dns
InternalHosts 192.0.2.1
On-KeyNotFound accept
On-BadSignature accept
On-NoSignature accept
`),
		milter(t, dmarcDir, "opendmarc", `AuthservID mx.test
TrustedAuthservIDs mx.test
TestDNSData DIR/dns
IgnoreHosts DIR/ignore
IgnoreAuthenticatedClients no
RejectFailures no
SPFIgnoreResults yes
HistoryFile DIR/history
`),
	}
}

// milter runs a milter in the foreground and gives its address for Postfix.
func milter(t testing.TB, dir, program, conf string) string {
	t.Helper()
	owner, _ := userNames(t)
	socket := filepath.Join(dir, "socket")
	write(t, filepath.Join(dir, "conf"), strings.ReplaceAll(conf, "DIR", dir)+
		"Syslog no\nUMask 0000\nUserID "+owner+"\nSocket local:"+socket+"\nPidFile "+filepath.Join(dir, "pid")+"\n")
	flag := map[string]string{"opendkim": "-x", "opendmarc": "-c"}[program]
	p := start(t, syscall.SIGTERM, asNobody(t, command(t, program, "-f", flag, filepath.Join(dir, "conf"))))
	t.Cleanup(func() { p.stop(syscall.SIGTERM) })
	p.listens(socket)
	return "unix:" + socket
}
