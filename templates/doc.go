// Package templates holds the looks of everything a reader sees: the mail, its
// text part, the archive page and the small pages of the site.
//
// It owns the embedded files and nothing else; who fills them in is compose
// (issues) and send/site (small pages). README.md beside this file documents
// every name and every field.
//
// It promises that a file is always found: a user's folder may replace any of
// them, one by one, and what it does not hold comes from the program itself. A
// user's file that cannot be read is an error, never a silent fall back to ours.
package templates
