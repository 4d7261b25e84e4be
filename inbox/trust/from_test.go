package trust

import (
	"strings"
	"testing"
)

func TestStrictFrom(t *testing.T) {
	for _, x := range []struct{ head, addr, name string }{
		{"From: ada@lab.example", "ada@lab.example", ""},
		{"from: Ada Reader <ada@LAB.Example>", "ada@lab.example", "Ada Reader"},
		{"From: \"Reader, Ada\" <ada@lab.example>", "ada@lab.example", "Reader, Ada"},
		{"From: =?utf-8?q?=C3=89lodie?= <elo@lab.example>", "elo@lab.example", "Élodie"},
		{"From: Ada\r\n <ada@lab.example>", "ada@lab.example", "Ada"},
		{"From: Ada <ada@bücher.example>", "ada@xn--bcher-kva.example", "Ada"},
		{"From: ada@lab.example\r\nSender: <ada@lab.example>", "ada@lab.example", ""},
		{"From: Ada Reader<ada+x@lab.example>", "ada+x@lab.example", "Ada Reader"},
		// What follows is doubtful in one way each.
		{"Subject: none", "", ""},
		{"From: eve@evil.example\r\nFrom: ada@lab.example", "", ""},
		{"From : eve@evil.example\r\nFrom: ada@lab.example", "", ""},
		{"From : ada@lab.example", "", ""},
		{"From\t: ada@lab.example", "", ""},
		{"From\r\n : ada@lab.example", "", ""},
		{"\x00From: eve@evil.example\r\nFrom: ada@lab.example", "", ""},
		{"From\x00: eve@evil.example\r\nFrom: ada@lab.example", "", ""},
		{" From: ada@lab.example", "", ""},
		{"no field at all\r\nFrom: ada@lab.example", "", ""},
		{"From: ada@lab.example, eve@evil.example", "", ""},
		{"From: <ada@lab.example> <eve@evil.example>", "", ""},
		{"From: <eve@evil.example>, ada@lab.example", "", ""},
		{"From: editors: ada@lab.example;", "", ""},
		{"From: <@evil.example:ada@lab.example>", "", ""},
		{"From: ada@lab.example (eve@evil.example)", "", ""},
		{"From: <ada@lab.example(>eve@evil.example", "", ""},
		{"From: \"ada@lab.example\"@evil.example", "", ""},
		{"From: \"ada\"@lab.example", "", ""},
		{"From: =?utf-8?q?ada=40lab.example=3E?=@evil.example", "", ""},
		{"From: =?utf-8?b?YWRhQGxhYi5leGFtcGxl?=", "", ""},
		{"From: ada@lab.example\x00@evil.example", "", ""},
		{"From: ada@lab.example\r<eve@evil.example>", "", ""},
		{"From: ada@[192.0.2.1]", "", ""},
		{"From: ada@localhost", "", ""},
		{"From: ada@lab..example", "", ""},
		{"From: ada@@lab.example", "", ""},
		{"From: .ada@lab.example", "", ""},
		{"From: Ada \\<eve@evil.example\\> <ada@lab.example>", "", ""},
		{"From: \"Ada <ada@lab.example>", "", ""},
		{"From: Ada \xff <ada@lab.example>", "", ""},
		{"From:", "", ""},
		{"From: ada@lab.example\r\nSender: eve@evil.example", "", ""},
		{"From: ada@lab.example\r\nSender: ada@lab.example\r\nSender: ada@lab.example", "", ""},
		{"From: ada@lab.example\r\nResent-From: eve@evil.example", "", ""},
	} {
		addr, name, err := StrictFrom([]byte(x.head + "\r\n\r\nbody\r\n"))
		if addr != x.addr || name != x.name || (err == nil) != (x.addr != "") {
			t.Errorf("%q: %q %q %v", x.head, addr, name, err)
		}
		if lf, _, _ := StrictFrom([]byte(strings.ReplaceAll(x.head+"\r\n\r\nbody\r\n", "\r\n", "\n"))); lf != addr {
			t.Errorf("%q with bare line feeds: %q", x.head, lf)
		}
	}
}

// FuzzStrictFrom: what is accepted is one plain address that net/mail reads
// as well, whatever stands around it.
func FuzzStrictFrom(f *testing.F) {
	for _, s := range []string{"From: ada@lab.example\n\n", "From: \"A\" <a@b.example>\r\nFrom : x\r\n\r\n", "From: =?utf-8?q?x?= <a@b.example>\r\n\r\n", "From: a@b.example (c)\r\n\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		addr, _, err := StrictFrom(raw)
		if err != nil {
			return
		}
		local, domain, _ := strings.Cut(addr, "@")
		if !dotAtom(local) || !hostName(domain) || strings.Count(addr, "@") != 1 || addr != local+"@"+strings.ToLower(domain) {
			t.Errorf("%q", addr)
		}
		h := readHeader(crlf(raw))
		if n := h.count("from"); n != 1 {
			t.Errorf("%d From fields accepted", n)
		}
	})
}
