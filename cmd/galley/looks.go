package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"galley/compose"
	"galley/compose/markdown"
	"galley/templates"
)

// sampleDraft is an issue that has one of everything, with its picture.
var (
	//go:embed sample.md
	sampleDraft []byte
	//go:embed sample.jpg
	samplePicture []byte
)

// looksCmd shows every look on one draft.
type looksCmd struct {
	Out       string `short:"o" required:"" type:"path" placeholder:"DIR" help:"Folder for the pages and, where a Chromium is installed, for pictures of them."`
	Draft     string `type:"existingfile" help:"A Markdown draft to show; a sample when none is given."`
	Templates string `type:"existingdir" help:"A folder of templates whose looks are shown too."`
	PagesOnly bool   `help:"Take no pictures, though a Chromium is installed."`
}

// widths of the pictures, in pixels: a phone and a desk (trust.md bar 9).
var widths = []int{375, 1280}

// Run writes, of each look, the mail and the web page as light and as dark mail
// programs show them.
func (c *looksCmd) Run(e *env) error {
	set := templates.Look(c.Templates)
	frame := compose.Frame{Looks: set, Name: "The Harbour Letter", Tagline: "For people who keep boats, berths and each other afloat", Host: "https://harbour.example",
		ArchivePath: "/letters", PostalAddress: "Quay 1, 1234 Harbour"}
	text := sampleDraft
	if c.Draft == "" {
		frame.Brought = []*compose.Attached{fitted(set, compose.Enclosed{Name: "sample.jpg", Data: samplePicture, File: true})}
	} else {
		var err error
		if text, err = os.ReadFile(c.Draft); err != nil {
			return err
		}
		(&previewCmd{Draft: c.Draft}).pictures(&frame)
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	browser := ""
	if !c.PagesOnly {
		browser = findBrowser()
	}
	for _, name := range templates.Names(set) {
		frame.Looks, _ = templates.Choose(set, name)
		r, err := compose.Render(e.ctx, markdown.Source{Text: text, Exact: true}, 0, frame)
		if err != nil {
			return fmt.Errorf("look %s: %w", name, err)
		}
		if err := c.show(e, browser, name, r); err != nil {
			return err
		}
	}
	if browser == "" && !c.PagesOnly {
		fmt.Fprintln(e.stdout, "No Chromium is installed here, so there are pages and no pictures.")
	}
	return nil
}

// show writes the pages of one look and takes their pictures.
func (c *looksCmd) show(e *env, browser, name string, r *compose.Rendered) error {
	for _, page := range []struct {
		kind string
		html []byte
	}{{"mail", carried(sample(r.HTML, true), r)}, {"web", carried(r.Web, r)}} {
		for _, mode := range []string{"light", "dark"} {
			file := filepath.Join(c.Out, name+"-"+page.kind+"-"+mode+".html")
			if err := os.WriteFile(file, inMode(page.html, mode), 0o644); err != nil {
				return err
			}
			fmt.Fprintln(e.stdout, file)
			if browser == "" {
				continue
			}
			for _, width := range widths {
				if err := takePicture(e.ctx, browser, file, width); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// carried lays the pictures into the page, since a browser knows no cid:
// addresses (RFC 2397).
func carried(page []byte, r *compose.Rendered) []byte {
	for _, a := range r.Used {
		if p := a.Picture; p != nil {
			data := "data:" + p.Type + ";base64," + base64.StdEncoding.EncodeToString(p.Data)
			page = bytes.ReplaceAll(page, []byte("cid:"+compose.ContentID(p)), []byte(data))
			page = bytes.ReplaceAll(page, []byte("https://harbour.example"+compose.PicturePath+compose.PictureFile(p)), []byte(data))
		}
	}
	return page
}

// inMode makes the rules for dark colours count always, or never: browsers have
// no common switch for it.
func inMode(page []byte, mode string) []byte {
	media := []byte("@media (prefers-color-scheme:dark)")
	if mode == "dark" {
		return bytes.ReplaceAll(page, media, []byte("@media all"))
	}
	return bytes.ReplaceAll(page, media, []byte("@media not all"))
}

// findBrowser looks for a Chromium under its usual names; "" when there is none.
func findBrowser() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// takePicture takes a picture of a page, beside it.
func takePicture(ctx context.Context, browser, page string, width int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	png := fmt.Sprintf("%s-%d.png", page[:len(page)-len(".html")], width)
	args := []string{"--headless", "--disable-gpu", "--hide-scrollbars", "--screenshot=" + png, fmt.Sprintf("--window-size=%d,2400", width), "file://" + page}
	if os.Geteuid() == 0 {
		args = append([]string{"--no-sandbox"}, args...) // Chromium refuses to run as root with it; the page is our own
	}
	if out, err := exec.CommandContext(ctx, browser, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("picture of %s: %w: %s", page, err, bytes.TrimSpace(out))
	}
	return nil
}
