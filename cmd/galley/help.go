package main

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

// topics are texts to be read in a terminal; the first line of each says what
// it is about.
//
//go:embed help/*.txt
var topics embed.FS

// helpCmd tells about a topic.
type helpCmd struct {
	Topic string `arg:"" optional:"" help:"What to read about; without one, the topics."`
}

// Run prints the topic, or the list of topics.
func (c *helpCmd) Run(e *env) error {
	if c.Topic == "" {
		return listTopics(e)
	}
	text, err := topics.ReadFile("help/" + strings.ToLower(c.Topic) + ".txt")
	if err != nil {
		return fmt.Errorf("there is no topic %q; galley help lists them, and galley %s --help tells about a command of this name", c.Topic, c.Topic)
	}
	_, err = e.stdout.Write(text)
	return err
}

func listTopics(e *env) error {
	files, err := fs.Glob(topics, "help/*.txt")
	if err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, "galley help TOPIC, where TOPIC is one of")
	for _, name := range files {
		text, err := topics.ReadFile(name)
		if err != nil {
			return err
		}
		about, _, _ := strings.Cut(string(text), "\n")
		fmt.Fprintf(e.stdout, "  %-9s %s\n", strings.TrimSuffix(strings.TrimPrefix(name, "help/"), ".txt"), about)
	}
	_, err = fmt.Fprintln(e.stdout, "\ngalley --help lists the commands; galley COMMAND --help tells about one.")
	return err
}
