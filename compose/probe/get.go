package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"net"
	"net/http"
)

var (
	errAstray    = errors.New("it leads to an address that is not public")
	errRedirects = errors.New("it redirects without end")
)

// open builds the client.
func (p *Prober) open() {
	if p.online == nil {
		p.online = p.resolves
	}
	dial := p.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: maxTime, Control: guard().Safe, Resolver: p.Resolver}).DialContext
	}
	p.client = &http.Client{
		Timeout: maxTime,
		Transport: &http.Transport{
			Proxy: nil, DialContext: counted(dial), DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeader,
			TLSHandshakeTimeout: maxTime, ResponseHeaderTimeout: maxTime,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			r.Header.Del("Referer")
			if len(via) > maxRedirects {
				return errRedirects
			}
			if state, _ := askable(r.URL); state == Forbidden {
				return errAstray
			}
			return nil
		},
	}
}

// get asks once. The body is left unread, but for the head of an image.
func (p *Prober) get(ctx context.Context, a Ask) Answer {
	r, err := http.NewRequestWithContext(bounded(ctx), http.MethodGet, a.URL, nil)
	if err != nil {
		return Answer{State: Forbidden, Why: "no-address"}
	}
	r.Header.Set("User-Agent", p.agent())
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	asked := r.URL.String()
	resp, err := p.client.Do(r)
	if err != nil {
		return unheard(err)
	}
	defer resp.Body.Close()
	answer := judge(resp.StatusCode)
	if final := resp.Request.URL.String(); final != asked {
		answer.Final = final
	}
	if a.Image && answer.State == Fine {
		answer.measure(resp)
	}
	return answer
}

// measure reads as much of an image as its size takes.
func (a *Answer) measure(resp *http.Response) {
	a.Bytes = int(max(0, resp.ContentLength))
	head := &io.LimitedReader{R: resp.Body, N: maxBytes}
	if c, _, err := image.DecodeConfig(head); err == nil {
		a.Width, a.Height = c.Width, c.Height
	}
	if a.Bytes == 0 {
		if n, err := io.Copy(io.Discard, head); err == nil {
			a.Bytes = int(n) // a lower bound: decoding read some before
		}
	}
}

func judge(status int) Answer {
	switch {
	case status >= 200 && status < 300:
		return Answer{State: Fine, Status: status}
	case status == http.StatusNotFound, status == http.StatusGone:
		return Answer{State: Gone, Status: status, Why: "status"}
	}
	return Answer{State: Refused, Status: status, Why: "status"}
}

// unheard sorts the reasons for which there was no answer.
func unheard(err error) Answer {
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errAstray), guarded(err):
		return Answer{State: Forbidden, Why: "astray"}
	case errors.Is(err, errFull):
		return Answer{State: Silent, Why: "full"}
	case errors.Is(err, errRedirects):
		return Answer{State: Silent, Why: "redirects"}
	case errors.As(err, &dns) && dns.IsNotFound:
		return Answer{State: Gone, Why: "no-such-host"}
	case errors.As(err, &cert):
		return Answer{State: Silent, Why: "certificate"}
	case errors.As(err, &timeout) && timeout.Timeout():
		return Answer{State: Silent, Why: "no-answer"}
	}
	return Answer{State: Silent, Why: "no-connection"}
}
