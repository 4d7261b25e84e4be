package markdown

import (
	"fmt"
	"os"
	"regexp"
	"sort"
	"strings"
	"testing"
)

func fp(t testing.TB, src Source) string {
	d, doc := render(t, src)
	f := d.Front
	return fmt.Sprintf("%v|%v|%v|%v|%v|%v\n%v\n", oneSp(f.Title), oneSp(f.Subtitle), f.Date, f.HeroImg, f.Layout, titles(doc.Contents()), len(f.Other)) + string(doc.HTML(Mail)) + "\n=====TEXT\n" + string(doc.Text(Mail))
}

func pyWrap(s string, limit int, hyph bool) string { // textwrap.wrap(line, limit, break_long_words=False, break_on_hyphens=hyph)
	return eachLine(s, func(l string) string {
		if width(l) <= limit {
			return l
		}
		chunks := regexp.MustCompile(`\s+|\S+`).FindAllString(l, -1)
		if hyph {
			var c2 []string
			for _, c := range chunks {
				for {
					m := regexp.MustCompile(`^.*?[\pL]-(?:[\pL])`).FindStringIndex(c)
					if m == nil {
						break
					}
					c2 = append(c2, c[:m[1]-lastLen(c[:m[1]])])
					c = c[m[1]-lastLen(c[:m[1]]):]
				}
				c2 = append(c2, c)
			}
			chunks = c2
		}
		var out []string
		cur := ""
		for _, c := range chunks {
			if width(cur)+width(c) <= limit {
				cur += c
				continue
			}
			if strings.TrimSpace(c) == "" {
				out = append(out, strings.TrimRight(cur, " "))
				cur = ""
				continue
			}
			if strings.TrimSpace(cur) != "" {
				out = append(out, strings.TrimRight(cur, " "))
			}
			cur = c
		}
		if strings.TrimSpace(cur) != "" {
			out = append(out, strings.TrimRight(cur, " "))
		}
		return strings.Join(out, "\n")
	})
}
func lastLen(s string) int { r := []rune(s); return len(string(r[len(r)-1])) }

func foldS(s string, limit int) string { // fold -s: keeps the space at the end
	return eachLine(s, func(l string) string {
		var out []string
		r := []rune(l)
		for len(r) > limit {
			cut := -1
			for i := limit - 1; i > 0; i-- {
				if r[i] == ' ' {
					cut = i + 1
					break
				}
			}
			if cut < 0 {
				for i := limit; i < len(r); i++ {
					if r[i] == ' ' {
						cut = i + 1
						break
					}
				}
			}
			if cut < 0 {
				break
			}
			out = append(out, string(r[:cut]))
			r = r[cut:]
		}
		return strings.Join(append(out, string(r)), "\n")
	})
}

func TestProbe(t *testing.T) {
	if os.Getenv("PROBE") == "" {
		t.Skip()
	}
	files := issues(t, "newsletters-rct")
	all := map[string]func(string) string{}
	for k, v := range damages {
		all[k] = v
	}
	for _, n := range []int{66, 72, 76, 78} {
		n := n
		all[fmt.Sprintf("py %d", n)] = func(s string) string { return pyWrap(s, n, false) }
		all[fmt.Sprintf("pyhy %d", n)] = func(s string) string { return pyWrap(s, n, true) }
		all[fmt.Sprintf("fold %d", n)] = func(s string) string { return foldS(s, n) }
		all[fmt.Sprintf("body wrap %d", n)] = func(s string) string {
			p := strings.SplitN(s, "\n---\n", 2)
			return p[0] + "\n---\n" + wrapMail(p[1], n)
		}
	}
	var kinds []string
	for k := range all {
		if o := os.Getenv("KIND"); o == "" || regexp.MustCompile(o).MatchString(k) {
			kinds = append(kinds, k)
		}
	}
	sort.Strings(kinds)
	clean := map[string]string{}
	var names []string
	for n, src := range files {
		clean[n] = fp(t, Source{Text: src, Exact: true})
		names = append(names, n)
	}
	sort.Strings(names)
	os.RemoveAll("/tmp/h/d")
	for _, ex := range []bool{true, false} {
		same := 0
		for _, n := range names {
			if fp(t, Source{Text: files[n], Exact: ex}) == clean[n] {
				same++
			}
		}
		t.Logf("clean exact=%v %d", ex, same)
	}
	for _, k := range kinds {
		for _, ex := range []bool{true, false} {
			same := 0
			var bad []string
			for _, n := range names {
				dm := all[k](string(files[n]))
				got := fp(t, Source{Text: []byte(dm), Exact: ex})
				if got == clean[n] {
					same++
					continue
				}
				bad = append(bad, n)
				dir := fmt.Sprintf("/tmp/h/d/%s-%v", strings.ReplaceAll(k, " ", "_"), ex)
				os.MkdirAll(dir, 0o755)
				os.WriteFile(dir+"/"+n+".want", []byte(clean[n]), 0o644)
				os.WriteFile(dir+"/"+n+".got", []byte(got), 0o644)
				os.WriteFile(dir+"/"+n+".dmg", []byte(dm), 0o644)
			}
			t.Logf("%-18s exact=%-5v same %3d %v", k, ex, same, bad)
		}
	}
}

func oneSp(s string) string { return strings.Join(strings.Fields(s), " ") }
