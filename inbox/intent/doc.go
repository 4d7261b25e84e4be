// Package intent says what a mail asks for: whether an editor's mail is a
// draft, words that hold, commands, links or a note (Read), and what a
// reader's own words want (ReadReader). It also reads one command by itself
// (Line, for the command line) and the times that people write (When).
//
// It is pure and owns nothing but the tables of words. Text, the paper that
// the mail answers and the open texts go in; a Reading comes out, and the
// desk decides what to do with it. Who wrote the mail and whether that may be
// believed is not asked here.
//
// What it promises: words that let mail out are read strictly and words that
// hold it back kindly. Whatever cannot be read is a note that quotes the
// words back; nothing is done by half, and no input makes it fail.
package intent
