package markdown

import (
	"strings"
	"testing"
)

// TestMended shows single repairs on lines that mail programs leave behind, and
// next to each what looks like it and is meant.
func TestMended(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"a marker alone above its entry", "- One\n-\n[T](https://a.example/long)\n- Two\n", "- One\n- [T](https://a.example/long)\n- Two\n"},
		{"a number alone above its entry", "1. One\n2.\nTwo\n", "1. One\n2. Two\n"},
		{"a marker alone and nothing below", "- One\n-\n\nText\n", "- One\n-\n\nText\n"},
		{"a marker alone in code", "```\n-\nx\n```\n", "```\n-\nx\n```\n"},
		{"an author below a lone link", "[T](https://a.example)\n- Ada Lind, The Quay\n\nText\n", "[T](https://a.example) - Ada Lind, The Quay\n\nText\n"},
		{"a list below a lone link", "[T](https://a.example)\n- Ada\n- Bo\n\nText\n", "[T](https://a.example)\n- Ada\n- Bo\n\nText\n"},
		{"an entry below a cut entry", "- Add\n[T](https://a.example)\n- Add\n[U](https://b.example)\n\nText\n", "- Add\n[T](https://a.example)\n- Add\n[U](https://b.example)\n\nText\n"},
		{"a marker alone above an address in angle brackets", "- One\n-\n<https://a.example/long>\n", "- One\n- <https://a.example/long>\n"},
		{"a marker alone above a tag", "- One\n-\n<div>x</div>\n", "- One\n-\n<div>x</div>\n"},
		{"From above a quote", ">From the call:\n> Papers are due\n", "From the call:\n> Papers are due\n"},
		{"From in a quote whose marks stand close", ">We wrote\n>From the call on\n", ">We wrote\n>From the call on\n"},
		{"a definition below its paragraph", "See [the T].\n[the T]: https://a.example/t\n[^1]: A note\n", "See [the T].\n\n[the T]: https://a.example/t\n[^1]: A note\n"},
		{"a remark that looks like a definition", "One thing\n[the editor]: hardly\n", "One thing\n[the editor]: hardly\n"},
		{"a definition in code", "```\nx\n[a]: https://a.example\n```\n", "```\nx\n[a]: https://a.example\n```\n"},
		{"an address in angle brackets", "See <https://a.example/a/very/long/\naddress> here.\n", "See <https://a.example/a/very/long/address> here.\n"},
		{"an address in angle brackets in code", "```\n<https://a.example/\nb>\n```\n", "```\n<https://a.example/\nb>\n```\n"},
		{"an option of a command", "Run it with —no-walk or —max=3.\n", "Run it with --no-walk or --max=3.\n"},
		{"a dash before a word", "the handling —do I need it— of mail\n", "the handling —do I need it— of mail\n"},
		{"an address with an em dash", "[T](https://a.example/b—c)\n", "[T](https://a.example/b--c)\n"},
		{"an address with an en dash", "[T](https://a.example/Dunning–Kruger)\n", "[T](https://a.example/Dunning–Kruger)\n"},
		{"an address with an en dash below a rule of them", "Text\n\n–––––\n\n[T](https://a.example/b–c)\n", "Text\n\n----------\n\n[T](https://a.example/b--c)\n"},
		{"ends of lines made twice", "One\r\r\nTwo\r\r\n", "One\nTwo\n"},
	} {
		if got := string(Read(Source{Text: []byte(tt.in), Exact: true}).Body); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestPlainHeadEnds takes a plain head off texts whose empty lines are lost or
// doubled: no key may leak, and no line of the text be taken for a key.
func TestPlainHeadEnds(t *testing.T) {
	text := "Hello and welcome to the issue.\n## Meetings\nNote: there was one.\n"
	for name, in := range map[string]string{
		"whole":   "Title: x\nDate: 2013-06-07\nCategory: Rust\n\n" + text,
		"lost":    "Title: x\nDate: 2013-06-07\nCategory: Rust\n" + text,
		"doubled": "Title: x\n\nDate: 2013-06-07\n\nCategory: Rust\n\n\n\n" + text,
		"cut":     "Title: x\nSubtitle: one thing and another thing and again\n another; and more\nDate: 2013-06-07\nCategory: Rust\n\n" + text,
	} {
		d := Read(Source{Text: []byte(in), Exact: true})
		if d.Front.Title != "x" || d.Front.Date != "2013-06-07" || d.Front.Other["Category"] != "Rust" {
			t.Errorf("%s: front matter %+v", name, d.Front)
		}
		if got := strings.Join(strings.Fields(string(d.Body)), " "); got != strings.Join(strings.Fields(text), " ") {
			t.Errorf("%s: body %q", name, d.Body)
		}
	}
}

// TestTOMLTables has front matter with a table: its lines are keys, not text.
func TestTOMLTables(t *testing.T) {
	for _, end := range []string{"+++\n", ""} {
		d := Read(Source{Text: []byte("+++\ntitle = “x”\n\n[extra]\nmonth = \"May\"\n" + end + "\nText [a](https://a.example).\n")})
		if d.Front.Title != "x" || strings.Contains(string(d.Body), "extra") || string(d.Body) != "Text [a](https://a.example).\n" {
			t.Errorf("title %q, body %q", d.Front.Title, d.Body)
		}
	}
}

// TestCutLists cuts lists of several habits at 72 columns.
func TestCutLists(t *testing.T) {
	filler := strings.Repeat("The quay was quiet all week, and that is when the letters come in, and we read every one of them.\n\n", 4)
	for name, list := range map[string]string{
		"asterisks":        "* 2026-02-18 | Virtual (Girona, ES) | [Group](https://a.example/group)\n* [**Weekly coding session**](https://a.example/a/long/address/of/an/event/of/the/group/1)\n* 2026-02-19 | Berlin, DE | [Other group](https://a.example/other/group/with/a/name)\n",
		"bare addresses":   "- https://a.example/a/long/address/of/a/post/that/does/not/fit/on/a/line/of/mail/1\n- https://a.example/a/long/address/of/a/post/that/does/not/fit/on/a/line/of/mail/2\n",
		"after a heading":  "### [Open](https://a.example/a/long/address/of/a/list/of/proposals/that/goes/on)\n* [One of the proposals](https://a.example/a/long/address/of/a/proposal/that/goes/on)\n* [Two of the proposals](https://a.example/a/long/address/of/a/proposal/that/goes/off)\n",
		"links in rest":    "- [Building a module, part three, with more of it](https://a.example/part/three/of/it)\n- Discussion: [How hard would it be to port it](https://a.example/how/hard/would/it/be)\n",
		"entries alike":    "- Implement [URLCredential](https://a.example/a/long/address/of/a/file/that/goes/on/and/on)\n- Implement [CachedURLResponse](https://a.example/a/long/address/of/a/file/that/goes/on/and/on)\n",
		"ends with a stop": "- [One](https://a.example) - a thing\n- [Two](https://b.example) - another\n- [Iterators yielding references](https://a.example/a/long/address/of/a/post/that/goes/on/and).\n- [On the safety of the stack](https://a.example/a/long/address/of/a/post/that/goes/off/and).\n",
		"more than":        "The team was surprised by how few of them there were, and it is all of >=5% of the year, as they say.\n",
		"a table of tags":  "<table>\n<tr>\n<td>One</td>\n<td>Two</td>\n</tr>\n<tr>\n<td>Three</td>\n<td>Four</td>\n</tr>\n</table>\n\n+ [rms 5.0-0](https://a.example/major-update-to-rms-package-5-0-0/of/x) - Strategies.\n",
		"a quote":          "Erica has proposed to eliminate the identifiers. ([The proposal is here](https://a.example/p))\n>This proposal aims to eliminate the screaming snake case of the identifiers.\n",
	} {
		d, doc := render(t, Source{Text: []byte(filler + list), Exact: true})
		_, got := render(t, Source{Text: []byte(wrapMail(filler+list, 72)), Exact: true})
		if seenClean, seenCut := string(doc.HTML(Mail)), string(got.HTML(Mail)); seenClean != seenCut {
			t.Errorf("%s: %q gives\n%s\nwant\n%s", name, d.Body, seenCut, seenClean)
		}
	}
}

// TestLostLines loses all empty lines of a draft that has a paragraph a line.
func TestLostLines(t *testing.T) {
	filler := strings.Repeat("The quay was quiet all week, and that is when the letters come in, and we read every one of them, twice over, until we know them.\n\n", 9)
	han := strings.Repeat("研究软件工程师的工作越来越重要。这篇文章介绍了如何管理团队，以及如何和研究人员沟通。作者认为最重要的是倾听，而不是说话；其次是写下来。\n\n", 3)
	for name, text := range map[string]string{
		"an emphasis in a sentence": filler + "In this letter we tend to think of leadership\n*within* teams, which is good and useful.\n",
		"a link in a sentence":      filler + "It is the open source offering of the\n[Quay](https://a.example) people, and a good one.\n",
		"the words of a link":       filler + "There is a [list of the\nQuays](https://a.example) that were closed.\n",
		"a lone link below a name":  filler + "The Harbour Masters\n\n[Quay](https://a.example) - Ada\n",
		"Chinese":                   strings.Repeat(han, 4) + "## 工具\n\n" + han,
	} {
		d, doc := render(t, Source{Text: []byte(text), Exact: true})
		_, got := render(t, Source{Text: []byte(manyEnds.ReplaceAllString(text, "\n")), Exact: true})
		if want, lost := string(doc.HTML(Mail)), string(got.HTML(Mail)); want != lost {
			t.Errorf("%s: %q gives\n%s\nwant\n%s", name, d.Body, lost, want)
		}
	}
}
