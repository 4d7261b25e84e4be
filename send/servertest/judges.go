package servertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Verdict is what a judge says of one message.
type Verdict struct {
	Action string // rspamd's: "no action" is the good one
	Score  float64
	Rules  map[string]float64 // each rule that hit, with its score
}

// Rspamd is an rspamd that asks one DNS server and nobody else.
type Rspamd struct {
	t    testing.TB
	addr string
}

// StartRspamd starts it with Debian's rules, without the checks that ask
// services of others (block lists, fuzzy sums).
func StartRspamd(t testing.TB, dns string) *Rspamd {
	t.Helper()
	Need(t, "rspamd")
	dir, port := folder(t), ports(t, 2)
	host, dnsPort, _ := strings.Cut(dns, ":")
	for name, text := range map[string]string{
		"options.inc":           fmt.Sprintf("dns { nameserver = [%q]; timeout = 1s; retransmits = 1; }\ndisable_hyperscan = true;\nlocal_addrs = [];\n", host+":"+dnsPort+":1"),
		"worker-normal.inc":     fmt.Sprintf("bind_socket = %q;\ncount = 1;\n", local(port[0])),
		"worker-controller.inc": "enabled = false;\n",
		"worker-proxy.inc":      "enabled = false;\n",
		"worker-fuzzy.inc":      "enabled = false;\n",
		"logging.inc":           fmt.Sprintf("type = \"file\";\nfilename = %q;\nlevel = \"warning\";\n", filepath.Join(dir, "log")),
	} {
		write(t, filepath.Join(dir, "local.d", name), text)
	}
	for _, module := range []string{"rbl", "fuzzy_check", "asn", "greylist", "ratelimit", "redis", "neural", "history_redis", "phishing", "mx_check",
		"hfilter", "replies", "reputation", "url_redirector", "dmarc", "spf"} {
		write(t, filepath.Join(dir, "local.d", module+".conf"), "enabled = false;\n")
	}
	write(t, filepath.Join(dir, "local.d", "statistic.conf"), "enabled = false;\n")
	for _, sub := range []string{"local.d", "db", "run"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
		give(t, filepath.Join(dir, sub))
	}
	owner, group := userNames(t)
	cmd := asNobody(t, command(t, "rspamd", "-f", "-c", "/etc/rspamd/rspamd.conf", "-u", owner, "-g", group,
		"--var=LOCAL_CONFDIR="+dir, "--var=DBDIR="+filepath.Join(dir, "db"), "--var=RUNDIR="+filepath.Join(dir, "run"), "--var=LOGDIR="+dir))
	p := start(t, syscall.SIGTERM, cmd)
	t.Cleanup(func() { p.stop(syscall.SIGTERM) })
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Logf("the end of rspamd's log:\n%s", log[max(0, len(log)-3000):])
		}
	})
	p.listens(local(port[0]))
	return &Rspamd{t, local(port[0])}
}

// Judge asks about a message as it came from an address of the documentation.
func (r *Rspamd) Judge(raw []byte, from, to string) Verdict {
	r.t.Helper()
	said := r.ask(raw, map[string]string{"From": from, "Rcpt": to, "IP": "198.51.100.7", "Helo": "out.test", "Hostname": "out.test"})
	v := Verdict{said.Action, said.Score, map[string]float64{}}
	for name, s := range said.Symbols {
		v.Rules[name] = s.Score
	}
	return v
}

// Signatures asks about the signatures of messages and nothing else, and gives
// for each the selectors of those that hold.
func (r *Rspamd) Signatures(messages ...[]byte) [][]string {
	r.t.Helper()
	out := make([][]string, len(messages))
	for n, raw := range messages {
		said := r.ask(raw, map[string]string{"Settings": `{"groups_enabled": ["dkim"]}`, "IP": "198.51.100.7"})
		for _, o := range said.Symbols["R_DKIM_ALLOW"].Options {
			if _, selector, ok := strings.Cut(o, ":s="); ok {
				out[n] = append(out[n], selector)
			}
		}
	}
	return out
}

// rspamdSays is what rspamd answers.
type rspamdSays struct {
	Action  string
	Score   float64
	Symbols map[string]struct {
		Score   float64
		Options []string
	}
}

func (r *Rspamd) ask(raw []byte, head map[string]string) (said rspamdSays) {
	r.t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+r.addr+"/checkv2", bytes.NewReader(raw))
	if err != nil {
		r.t.Fatal(err)
	}
	for name, value := range head {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := json.Unmarshal(text, &said); err != nil || said.Action == "" {
		r.t.Fatalf("rspamd says %s: %v", text, err)
	}
	return said
}

var spamRule = regexp.MustCompile(`(?m)^\s*(?:\*\s+)?(-?\d+\.\d+) (\w+) `)

// SpamAssassin asks SpamAssassin about a message, without any network.
func SpamAssassin(t testing.TB, raw []byte) Verdict {
	t.Helper()
	Need(t, "spamassassin")
	dir := folder(t)
	cmd := asNobody(t, command(t, "spamassassin", "--local", "--test-mode", "--nocreate-prefs", "--cf=add_header all Report _REPORT_"))
	cmd.Env = append(os.Environ(), "HOME="+dir)
	cmd.Stdin = bytes.NewReader(raw)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("spamassassin: %v\n%s", err, &complaints)
	}
	score := regexp.MustCompile(`X-Spam-Status: \w+, score=(-?[\d.]+)`).FindSubmatch(out)
	if score == nil {
		t.Fatalf("spamassassin gives no score:\n%s%s", out, &complaints)
	}
	v := Verdict{Rules: map[string]float64{}}
	v.Score, _ = strconv.ParseFloat(string(score[1]), 64)
	for _, m := range spamRule.FindAllSubmatch(out, -1) {
		v.Rules[string(m[2])], _ = strconv.ParseFloat(string(m[1]), 64)
	}
	return v
}

// dkimpy prints for each file how each of its signatures fares, a line of
// JSON each: {"rsa-sha256": true, …}.
const dkimpyScript = `
import dkim, json, sys
with open(sys.argv[1]) as f: records = json.load(f)
def txt(name, timeout=5): return records.get(name.decode().rstrip('.').lower(), '').encode() or None
for path in sys.argv[2:]:
    with open(path, 'rb') as f: raw = f.read()
    d = dkim.DKIM(raw, minkey=1024)
    n = sum(1 for k, v in d.headers if k.lower() == b'dkim-signature')
    out = []
    for i in range(n):
        d = dkim.DKIM(raw, minkey=1024)
        try: ok = d.verify(idx=i, dnsfunc=txt)
        except Exception as e: ok = False
        algorithm = (d.signature_fields or {}).get(b'a', b'').decode()
        out.append({"Algorithm": algorithm, "OK": ok})
    print(json.dumps(out))
`

// Signature is what a verifier says of one signature of a message.
type Signature struct {
	Algorithm string // "rsa-sha256" or "ed25519-sha256"
	OK        bool
}

// Dkimpy has dkimpy verify messages by the keys of TXT records.
func Dkimpy(t testing.TB, records map[string]string, messages ...[]byte) [][]Signature {
	t.Helper()
	Need(t, "python3")
	dir := folder(t)
	text, err := json.Marshal(records)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "dns.json"), string(text))
	write(t, filepath.Join(dir, "judge.py"), dkimpyScript)
	args := []string{filepath.Join(dir, "judge.py"), filepath.Join(dir, "dns.json")}
	cmd := command(t, "/usr/bin/python3", append(args, lay(t, dir, messages)...)...) // the distribution's, which has the module
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("dkimpy: %v", err)
	}
	var all [][]Signature
	for line := range strings.Lines(string(out)) {
		var one []Signature
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

// OpenDKIM has OpenDKIM verify messages by the keys of TXT records, and tells
// for each whether a signature that it understands is good. It knows no
// Ed25519.
func OpenDKIM(t testing.TB, records map[string]string, messages ...[]byte) []bool {
	t.Helper()
	Need(t, "opendkim")
	dir := folder(t)
	txtFile(t, filepath.Join(dir, "dns"), records)
	write(t, filepath.Join(dir, "conf"), "Mode v\nTestPublicKeys "+filepath.Join(dir, "dns")+"\nSyslog no\n")
	var out []bool
	for chunk := range slices.Chunk(lay(t, dir, messages), 200) {
		said, _ := command(t, "opendkim", "-x", filepath.Join(dir, "conf"), "-vv", "-t", strings.Join(chunk, ",")).Output() // its complaints would stand in the middle of lines
		words := regexp.MustCompile(`(?s)### INSHEADER: idx=0 hname='Authentication-Results' hvalue='(.*?)'\n`).FindAllSubmatch(said, -1)
		if len(words) != len(chunk) {
			t.Fatalf("OpenDKIM judged %d messages of %d:\n%s", len(words), len(chunk), said[:min(len(said), 2000)])
		}
		for _, w := range words {
			out = append(out, bytes.Contains(w[1], []byte("dkim=pass")))
		}
	}
	return out
}

// lay writes messages to files.
func lay(t testing.TB, dir string, messages [][]byte) []string {
	t.Helper()
	var paths []string
	for i, raw := range messages {
		path := filepath.Join(dir, fmt.Sprintf("m%05d.eml", i))
		write(t, path, string(raw))
		paths = append(paths, path)
	}
	return paths
}
