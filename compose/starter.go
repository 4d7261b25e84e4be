package compose

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"galley/compose/markdown"
	"galley/send/message"
	"galley/send/store"
	"galley/templates"
)

// startSlot mails the editors the empty form of the next issue some days
// before its slot, once, unless a text is there already. A form that was due
// before the house began is nobody's.
func (d *Desk) startSlot(ctx context.Context, tx *store.Tx, n *Newsletter, s schedule, at time.Time) error {
	due := at.Add(-n.Slot.Starter)
	if n.Slot.Starter == 0 || tx.Now().Before(due) {
		return nil
	}
	if known, err := started(ctx, tx, n, at); err != nil || known {
		return err
	}
	open, err := issuesIn(ctx, tx, n.ID, Proofed, Approved, Held)
	if err != nil {
		return err
	}
	taken, err := slotTaken(ctx, tx, n, at)
	if err != nil {
		return err
	}
	f := &form{at: at, now: tx.Now()}
	if len(open) == 0 && !taken && !due.Before(s.began) {
		if err := d.fillForm(ctx, tx, n, f); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO starter (newsletter, day, number, title, body, at) VALUES ($1, $2, $3, $4, $5, $6)`,
		n.ID, n.Slot.Day(at), f.number, f.title, []byte(f.text), store.Micros(tx.Now()))
	if err != nil || f.number == 0 {
		return err
	}
	return d.mailForm(ctx, tx, n, f)
}

func started(ctx context.Context, tx *store.Tx, n *Newsletter, at time.Time) (bool, error) {
	var rows int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM starter WHERE newsletter = $1 AND day = $2`, n.ID, n.Slot.Day(at)).Scan(&rows)
	return rows > 0, err
}

// startedFor is the day of the slot whose empty form bore a number, "" when no
// form did.
func startedFor(ctx context.Context, tx *store.Tx, newsletter string, number int) (day string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT day FROM starter WHERE newsletter = $1 AND number = $2 ORDER BY day DESC LIMIT 1`, newsletter, number).Scan(&day)
	if store.NotFound(err) {
		return "", nil
	}
	return day, err
}

// form is the empty form of an issue in the making.
type form struct {
	at, now     time.Time
	number      int
	title, text string
	loose       []*waitingLink // links without a section, which are not in the text
	waiting     int
}

// fillForm makes the text: the last issue's sections, the links that wait,
// and the last issue's foot.
func (d *Desk) fillForm(ctx context.Context, tx *store.Tx, n *Newsletter, f *form) error {
	number, err := nextNumber(ctx, tx, n.ID)
	if err != nil {
		return err
	}
	links, err := d.waiting(ctx, tx, n)
	if err != nil {
		return err
	}
	old, err := d.lastText(ctx, tx, n)
	if err != nil {
		return err
	}
	f.number, f.waiting = number, len(links)
	f.title, f.text, f.loose = n.starterText(number, f.at.In(n.Zone), old, links)
	return nil
}

// lastText is the text of the newest issue that went out; nil when there is
// none, or only one that was imported without its text.
func (d *Desk) lastText(ctx context.Context, tx *store.Tx, n *Newsletter) ([]byte, error) {
	last, err := d.last(ctx, tx, n)
	if err != nil || last == nil {
		return nil, err
	}
	row, err := revisionOf(ctx, tx, last.ID, max(last.Approved, 1))
	if err != nil || row == nil {
		return nil, err
	}
	return row.Markdown, nil
}

func (d *Desk) mailForm(ctx context.Context, tx *store.Tx, n *Newsletter, f *form) error {
	readers, err := d.Figures.Audience(ctx, tx, n.ID)
	if err != nil {
		return err
	}
	letters, err := d.lettersCount(ctx, tx, n)
	if err != nil {
		return err
	}
	apart, err := d.apart(ctx, tx, n)
	if err != nil {
		return err
	}
	file := fmt.Sprintf("%04d.md", f.number)
	last := ""
	if l, err := d.last(ctx, tx, n); err == nil && l != nil {
		last = fmt.Sprintf("#%d", l.Number)
	}
	data := map[string]any{"Number": f.number, "Goes": n.when(f.at, f.now), "Short": n.date("day", f.at),
		"Readers": readers, "File": file, "Letters": letters, "Last": last, "Waiting": f.waiting, "Loose": f.loose, "Placed": f.waiting - len(f.loose), "Apart": apart}
	subject, text, err := say(n.Frame.Looks, "starter", data)
	if err != nil {
		return err
	}
	text += textBelow(file, f.text)
	for _, e := range n.Editors {
		m := &mail{paper: paper{Kind: paperStarter, Asks: fmt.Sprintf("starter %d", f.number)}, to: e, number: f.number, subject: subject, text: text,
			attachments: []message.Attachment{{Name: file, Type: "text/markdown; charset=utf-8", Data: []byte(f.text)}}}
		if err := d.post(ctx, tx, n, m); err != nil {
			return err
		}
	}
	return nil
}

// starterOf is the form that a paper brought: its number and title.
func starterOf(ctx context.Context, tx *store.Tx, p *paper) (number int, title, text string, err error) {
	_, digits, _ := strings.Cut(p.Asks, " ")
	number, err = strconv.Atoi(digits)
	if err != nil {
		return 0, "", "", fmt.Errorf("starter %d: %w", p.ID, err)
	}
	err = tx.QueryRowContext(ctx, `SELECT title, body FROM starter WHERE newsletter = $1 AND number = $2 ORDER BY day DESC LIMIT 1`, p.Newsletter, number).Scan(&title, &text)
	return number, title, text, err
}

// proveStarter answers an approval of an empty form with its proof, which
// says what is missing in it.
func (d *Desk) proveStarter(ctx context.Context, tx *store.Tx, r *decisionRow) (string, error) {
	number, _, text, err := starterOf(ctx, tx, r.paper)
	if err != nil {
		return "", err
	}
	i, err := issueByNumber(ctx, tx, r.n.ID, number)
	if err != nil {
		return "", err
	}
	if i != nil { // a text came since, and its proof is what can be approved
		r.Number = number
		return d.again(ctx, tx, r, "codeless")
	}
	in := &Draft{Newsletter: r.n.ID, MessageID: r.MessageID, Editor: r.Editor, Form: "attachment", Answers: r.paper.ID, Source: []byte(text), Written: r.received}
	return "starter proofed", d.keepDraft(ctx, tx, in, nil)
}

// lettersCount counts the letters since the last issue.
func (d *Desk) lettersCount(ctx context.Context, tx *store.Tx, n *Newsletter) (count int, err error) {
	since := int64(0)
	last, err := d.last(ctx, tx, n)
	if err == nil && last != nil {
		since = store.Micros(last.SendAt)
	}
	err = errors.Join(err, tx.QueryRowContext(ctx, `SELECT count(*) FROM letter WHERE newsletter = $1 AND at > $2`, n.ID, since).Scan(&count))
	return count, err
}

// part is one section of a text, or what stands before the first.
type part struct {
	name  string
	lines []string // without the heading
}

// datedTitle is a title of a number and a date alone: "#129 - 9 Jul 2022", with
// the month in any language.
var datedTitle = regexp.MustCompile(`^#\d+ - \d{1,2}\.? \S+ \d{4}$`)

// starterText makes the empty form of an issue in the shape of the last one.
// What is to be written is TK, which no proof lets pass. Each link that waits
// stands under the section that it or its note names; loose are the others.
func (n *Newsletter) starterText(number int, day time.Time, old []byte, links []*waitingLink) (title, text string, loose []*waitingLink) {
	d := markdown.Read(markdown.Source{Text: old, Exact: true})
	parts := partsOf(string(d.Body))
	title = fmt.Sprintf("#%d: TK", number)
	if datedTitle.MatchString(d.Front.Title) || len(old) == 0 {
		title = fmt.Sprintf("#%d - %s", number, n.phrase("title-day", day))
	}
	foot := len(parts) - 1 // the last section, if it has words and no links
	if len(parts) == 1 {
		for _, name := range n.Frame.Sections {
			parts = append(parts, part{name: name})
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "---\ntitle: %q\nsubtitle: \"TK\"\ndate: %s\n", title, day.Format(time.DateOnly))
	if d.Front.Layout != "" {
		fmt.Fprintf(&b, "layout: %s\n", d.Front.Layout)
	}
	b.WriteString("---\n\n" + parts[0].greeting() + "TK\n" + parts[0].rule())
	if foot < 1 || parts[foot].items() {
		foot = len(parts)
	}
	placed := map[int64]bool{}
	for at, p := range parts[1:foot] {
		b.WriteString("\n## " + p.name + "\n\n" + p.filled(links, placed) + p.rule())
		if at == foot-2 && foot < len(parts) && p.rule() == "" {
			b.WriteString(parts[foot].rule())
		}
	}
	if foot < len(parts) {
		b.WriteString("\n## " + parts[foot].name + "\n" + strings.TrimRight(strings.Join(parts[foot].lines, "\n"), "\n ") + "\n")
	}
	for _, l := range links {
		if !placed[l.ID] {
			loose = append(loose, l)
		}
	}
	return title, b.String(), loose
}

// partsOf cuts a text at its headings of the second level.
func partsOf(body string) []part {
	parts := []part{{}}
	for row := range strings.SplitSeq(body, "\n") {
		if m := heading.FindStringSubmatch(row); m != nil {
			parts = append(parts, part{name: strings.TrimSpace(m[1])})
			continue
		}
		last := &parts[len(parts)-1]
		last.lines = append(last.lines, row)
	}
	return parts
}

// items tells a section of links from one of words, such as the foot.
func (p part) items() bool {
	return slices.ContainsFunc(p.lines, func(row string) bool { return strings.HasPrefix(strings.TrimLeft(row, " *-"), "[") })
}

// rule is the line that closes the part, if there is one.
func (p part) rule() string {
	for _, row := range slices.Backward(p.lines) {
		switch {
		case ruleLine.MatchString(row):
			return "\n" + strings.TrimSpace(row) + "\n"
		case strings.TrimSpace(row) != "":
			return ""
		}
	}
	return ""
}

// longestGreeting is how long a first line may be that greets: "Hi, all!"
const longestGreeting = 30

// greeting is the first line of an issue, if it only greets.
func (p part) greeting() string {
	for _, row := range p.lines {
		row = strings.TrimSpace(row)
		if row == "" {
			continue
		}
		if len(row) <= longestGreeting && (strings.HasSuffix(row, "!") || strings.HasSuffix(row, ",") || strings.HasSuffix(row, ":")) {
			return row + "\n\n"
		}
		return ""
	}
	return ""
}

// filled is the section with its links, or TK.
func (p part) filled(links []*waitingLink, placed map[int64]bool) string {
	var items []string
	for _, l := range links {
		if !placed[l.ID] && l.belongs(p.name) {
			placed[l.ID] = true
			items = append(items, l.comment()+"\n"+l.Item()+"\n")
		}
	}
	if len(items) == 0 {
		return "TK\n"
	}
	return strings.Join(items, "\n")
}

// belongs tells that a link, or the words beside it, name the section.
func (w *waitingLink) belongs(section string) bool {
	if w.Section != "" {
		return strings.EqualFold(w.Section, section)
	}
	return strings.Contains(strings.ToLower(w.Note), strings.ToLower(section))
}

// comment says of a link what the editor may want to know; it is never sent.
func (w *waitingLink) comment() string {
	first, size := utf8.DecodeRuneInString(w.From())
	s := w.Number() + ", " + string(unicode.ToLower(first)) + w.From()[size:] + w.before()
	if w.Note != "" {
		s += ` "` + strings.Join(strings.Fields(w.Note), " ") + `"`
	}
	for strings.Contains(s, "--") {
		s = strings.ReplaceAll(s, "--", "- -") // two hyphens end a comment
	}
	return templates.Indent("<!-- "+s+" -->", 0, 0)
}
